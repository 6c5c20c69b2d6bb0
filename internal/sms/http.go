package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxAnswer = 64 << 10
	maxReason = 200
)

// client is the Sender of an HTTP service.
type client struct {
	endpoint       string
	user, password string
	from           string
	http           *http.Client
}

// FromURL returns the sender of https://ACCOUNT:TOKEN@host/path?from=NUMBER, where from is a number or a sender's name.
func FromURL(text string) (Sender, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("SMS_URL cannot be read") // its error would hold the credentials
	}
	query := u.Query()
	c := &client{from: query.Get("from"), http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if c.from == "" || u.Hostname() == "" || u.User == nil {
		return nil, errors.New("SMS_URL must be https://ACCOUNT:TOKEN@host/path?from=NUMBER")
	}
	c.user = u.User.Username()
	c.password, _ = u.User.Password()
	query.Del("from")
	u.User, u.RawQuery = nil, query.Encode()
	c.endpoint = u.String()
	return c, nil
}

// Send implements Sender.
func (c *client) Send(ctx context.Context, m Message) (string, error) {
	form := url.Values{"To": {m.To}, "From": {c.from}, "Body": {m.Text}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", &Error{Permanent: true, Answer: "the address of the service is not usable"}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.SetBasicAuth(c.user, c.password)
	answer, err := c.http.Do(request)
	if err != nil {
		return "", &Error{Answer: "the service does not answer", cause: withoutAddress(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // the status tells what counts
	if answer.StatusCode/100 == 2 {
		return fmt.Sprintf("%d %s", answer.StatusCode, idOf(body)), nil
	}
	return "", &Error{Permanent: isFinal(answer.StatusCode), Answer: fmt.Sprintf("%d, code %d", answer.StatusCode, codeOf(body))}
}

// isFinal tells whether the service will answer the same next time.
func isFinal(status int) bool {
	return status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests && status != http.StatusUnauthorized
}

// withoutAddress takes the address off an error of the HTTP client.
func withoutAddress(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// idOf is the service's id of a message that it took.
func idOf(body []byte) string {
	var taken struct{ SID string }
	_ = json.Unmarshal(body, &taken) // another shape has no id for us
	return taken.SID[:min(len(taken.SID), maxReason)]
}

// codeOf is the service's own number of an error; its text may repeat the telephone number.
func codeOf(body []byte) int {
	var refused struct{ Code int }
	_ = json.Unmarshal(body, &refused) // another shape has no code for us
	return refused.Code
}
