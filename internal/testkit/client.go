package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testkit/answer"
)

// Client speaks GraphQL over HTTP with a running server.
type Client struct {
	URL   string // of the endpoint
	Token string // sent as bearer when not empty
	HTTP  *http.Client
}

// Response is the answer to one operation.
type Response struct {
	answer.Answer
	Status int
	Header http.Header
	Body   []byte
}

// Fault is one of the top-level errors.
type Fault = answer.Fault

// NewClient returns a client without a session for the server whose base URL is given.
func NewClient(tb testing.TB, url string) *Client {
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	return &Client{URL: strings.TrimSuffix(strings.TrimSuffix(url, "/"), "/graphql") + "/graphql", HTTP: &http.Client{Transport: transport}}
}

// WithToken returns a client that sends the token; "" = none.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.Token = token
	return &other
}

const signIn = `mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message } } }`

// SignIn returns a client with a new session, and fails the test when there is none.
func (c *Client) SignIn(tb testing.TB, email, password string) *Client {
	tb.Helper()
	r := c.Do(tb, signIn, map[string]any{"input": map[string]any{"email": email, "password": password}})
	token := r.Text("login.accessToken")
	if token == "" {
		tb.Fatalf("sign in as %s: HTTP %d %s", email, r.Status, r.Body)
	}
	return c.WithToken(token)
}

// Do sends one operation. vars may be nil.
func (c *Client) Do(tb testing.TB, query string, vars map[string]any) *Response {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	must(tb, err)
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, c.URL, bytes.NewReader(body))
	must(tb, err)
	request.Header.Set("Content-Type", "application/json")
	return c.Send(tb, request)
}

// Post sends one operation to the server at a base URL and reads the answer, for callers that go on when there is none: what was lost is not sent again here.
func Post(ctx context.Context, client *http.Client, base, token, query string, vars map[string]any) (*answer.Answer, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	a, err := answer.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("HTTP %d: %w", reply.StatusCode, err)
	}
	return &a, nil
}

// Send sends a request of the test's own making with the client's token and reads a GraphQL answer, if it is one.
func (c *Client) Send(tb testing.TB, request *http.Request) *Response {
	tb.Helper()
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	reply, err := c.HTTP.Do(request)
	must(tb, err)
	defer func() { _ = reply.Body.Close() }()
	r := &Response{Status: reply.StatusCode, Header: reply.Header}
	r.Body, err = io.ReadAll(reply.Body)
	must(tb, err)
	if read, err := answer.Parse(r.Body); err == nil {
		r.Answer = read
	}
	return r
}

// NoErrors fails the test when the answer has faults, or user errors in one of its root fields.
func (r *Response) NoErrors(tb testing.TB) *Response {
	tb.Helper()
	if len(r.Errors) > 0 || r.Data == nil {
		tb.Fatalf("HTTP %d %s", r.Status, r.Body)
	}
	roots, _ := r.Data.(map[string]any)
	for name := range roots {
		if r.Len(name+".userErrors") > 0 {
			tb.Fatalf("%s: %s", name, r.Body)
		}
	}
	return r
}
