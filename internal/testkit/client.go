package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Client speaks GraphQL over HTTP with a running server.
type Client struct {
	URL   string // of the endpoint
	Token string // sent as bearer when not empty
	HTTP  *http.Client
}

// Response is the answer to one operation.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Data   any // decoded; numbers are json.Number
	Errors []Fault
}

// Fault is one of the top-level errors.
type Fault struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code returns the fault's code, or "".
func (f Fault) Code() string {
	code, _ := f.Extensions["code"].(string)
	return code
}

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

// Send sends a request of the test's own making with the client's token and reads a GraphQL answer, if it is one.
func (c *Client) Send(tb testing.TB, request *http.Request) *Response {
	tb.Helper()
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	answer, err := c.HTTP.Do(request)
	must(tb, err)
	defer func() { _ = answer.Body.Close() }()
	r := &Response{Status: answer.StatusCode, Header: answer.Header}
	r.Body, err = io.ReadAll(answer.Body)
	must(tb, err)
	var parts struct {
		Data   any     `json:"data"`
		Errors []Fault `json:"errors"`
	}
	decoder := json.NewDecoder(bytes.NewReader(r.Body))
	decoder.UseNumber()
	if decoder.Decode(&parts) == nil {
		r.Data, r.Errors = parts.Data, parts.Errors
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

// Code returns the code of the first fault, or else of the first user error of a root field; "" when there is none.
func (r *Response) Code() string {
	if len(r.Errors) > 0 {
		return r.Errors[0].Code()
	}
	roots, _ := r.Data.(map[string]any)
	for name := range roots {
		if code := r.Text(name + ".userErrors.0.code"); code != "" {
			return code
		}
	}
	return ""
}

// Get returns what stands in the data at a path like "bookAppointment.userErrors.0.code"; nil when nothing does.
func (r *Response) Get(path string) any {
	at := r.Data
	for step := range strings.SplitSeq(path, ".") {
		switch here := at.(type) {
		case map[string]any:
			at = here[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(here) {
				return nil
			}
			at = here[i]
		default:
			return nil
		}
	}
	return at
}

// Text returns the scalar at the path as text; "" for null and for nothing.
func (r *Response) Text(path string) string {
	if v := r.Get(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Int returns the number at the path; 0 when there is none.
func (r *Response) Int(path string) int {
	n, _ := strconv.Atoi(r.Text(path))
	return n
}

// Len returns the length of the list at the path; 0 when there is none.
func (r *Response) Len(path string) int {
	list, _ := r.Get(path).([]any)
	return len(list)
}
