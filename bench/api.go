package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	demoPassword = "try-caregraph" // #nosec G101 -- the demo's public one
	demoDomain   = "@demo.caregraph.test"
	maxAnswer    = 4 << 20
)

// api calls GraphQL for what comes before and after the measuring.
type api struct {
	url    string
	client *http.Client
}

func newAPI(url string) *api {
	return &api{url: url, client: &http.Client{Timeout: 15 * time.Second}}
}

// problem is a userError of a payload.
type problem struct{ Code, Message string }

func (p problem) String() string { return p.Code + ": " + p.Message }

// requestBody is a GraphQL request as JSON.
func requestBody(document string, variables map[string]any) []byte {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		panic(err) // only texts and numbers come in
	}
	return body
}

// call runs a document and reads data into the target.
func (a *api) call(ctx context.Context, token, document string, variables map[string]any, data any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/graphql", bytes.NewReader(requestBody(document, variables)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return fmt.Errorf("the API did not answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the API's answer broke off: %w", err)
	}
	return decode(answer.StatusCode, body, data)
}

// decode reads the data of a GraphQL answer, or says why there is none.
func decode(status int, body []byte, data any) error {
	var envelope struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return fmt.Errorf("the answer (status %d) is not JSON: %w: %.300s", status, err, body)
	}
	if len(envelope.Errors) > 0 || status != http.StatusOK {
		return fmt.Errorf("the API refused (status %d): %.500s", status, body)
	}
	return json.Unmarshal(envelope.Data, data)
}

// login signs in and returns the access token and the session's id, which is the floor's token.
func (a *api) login(ctx context.Context, name string) (token, session string, err error) {
	const document = `mutation($email: String!, $password: String!) { login(input: {email: $email, password: $password}) {
accessToken session { id } userErrors { code message } } }`
	var data struct {
		Login struct {
			AccessToken string
			Session     *struct{ ID string }
			UserErrors  []problem
		}
	}
	err = a.call(ctx, "", document, map[string]any{"email": name + demoDomain, "password": demoPassword}, &data)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("%s could not sign in: %w", name, err)
	case data.Login.AccessToken == "" || data.Login.Session == nil:
		return "", "", fmt.Errorf("%s could not sign in: %v", name, errors.Join(asErrors(data.Login.UserErrors)...))
	}
	return data.Login.AccessToken, data.Login.Session.ID, nil
}

func asErrors(problems []problem) []error {
	list := make([]error, len(problems))
	for i, p := range problems {
		list[i] = errors.New(p.String())
	}
	return list
}
