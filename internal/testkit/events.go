package testkit

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testkit/answer"
)

// ServerEvent is one event of an event stream, as a browser's EventSource reads it.
type ServerEvent struct {
	Kind string // event
	ID   string
	Data string
}

// EventStream is an answer of Server-Sent Events. Comments are passed over.
type EventStream struct {
	tb     testing.TB
	Answer *http.Response
	lines  *bufio.Scanner
}

// Listen opens an event stream by GET, as EventSource does: lastEventID may be empty, and so may cookie, which takes the place of the token.
func (c *Client) Listen(tb testing.TB, query, variables, lastEventID string, change ...func(*http.Request)) *EventStream {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 4*Patience)
	tb.Cleanup(cancel)
	values := url.Values{"query": {query}}
	if variables != "" {
		values.Set("variables", variables)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"?"+values.Encode(), nil)
	must(tb, err)
	r.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for _, f := range change {
		f(r)
	}
	got, err := c.HTTP.Do(r)
	must(tb, err)
	return ReadEvents(tb, got)
}

// ReadEvents reads an answer as events. It is closed with the test.
func ReadEvents(tb testing.TB, got *http.Response) *EventStream {
	tb.Cleanup(func() { _ = got.Body.Close() })
	lines := bufio.NewScanner(got.Body)
	lines.Buffer(nil, 16<<20)
	return &EventStream{tb: tb, Answer: got, lines: lines}
}

// Next returns the next event; false when the stream has ended.
func (s *EventStream) Next() (e ServerEvent, ok bool) {
	var data []string
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case s.lines.Text() == "":
			if data != nil {
				e.Data = strings.Join(data, "\n")
				return e, true
			}
			e = ServerEvent{}
		case name == "event":
			e.Kind = value
		case name == "id":
			e.ID = value
		case name == "data":
			data = append(data, value)
		}
	}
	return ServerEvent{}, false
}

// Result returns the result that the next event brings, and its id.
func (s *EventStream) Result() (*answer.Answer, string) {
	s.tb.Helper()
	e, ok := s.Next()
	if !ok || e.Kind != "next" {
		s.tb.Fatalf("the stream goes on with %+v, %v; want a result", e, s.lines.Err())
	}
	got, err := answer.Parse([]byte(e.Data))
	must(s.tb, err)
	return &got, e.ID
}

// IsComplete fails the test unless the stream says that it is complete, and ends.
func (s *EventStream) IsComplete() {
	s.tb.Helper()
	if e, ok := s.Next(); !ok || e.Kind != "complete" || e.Data != "" {
		s.tb.Fatalf("the stream goes on with %+v, %v; want complete", e, s.lines.Err())
	}
	s.IsOver()
}

// IsOver fails the test unless the stream ends here.
func (s *EventStream) IsOver() {
	s.tb.Helper()
	if e, ok := s.Next(); ok {
		s.tb.Fatalf("the stream goes on with %+v; want its end", e)
	}
}
