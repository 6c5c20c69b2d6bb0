package nothinglost

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
)

const longestEvent = 1 << 20

// eventWire reads a room as a browser's EventSource does: a GET that goes on by the id of the last event, which the server takes for the cursor.
type eventWire struct {
	reader *reader
	server string
	reply  *http.Response
	cancel context.CancelFunc
	lines  *bufio.Scanner
}

func (r *reader) overEvents(ctx context.Context, server string) (wire, error) {
	vars, err := json.Marshal(map[string]any{"room": r.room})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx) // the reply is read in it
	w := &eventWire{reader: r, server: server, cancel: cancel}
	search := url.Values{"query": {chatEvents}, "variables": {string(vars)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(server, "/")+"/graphql?"+search.Encode(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	request.Close = true // a connection of its own, as a killed server's are
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+r.person.Token)
	if r.cursor != "" {
		request.Header.Set("Last-Event-ID", r.cursor)
	}
	late := time.AfterFunc(operationTime, cancel)
	w.reply, err = http.DefaultClient.Do(request)
	late.Stop()
	if err != nil {
		cancel()
		return nil, err
	}
	if kind := w.reply.Header.Get("Content-Type"); w.reply.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		w.leave()
		if w.reply.StatusCode == http.StatusServiceUnavailable { // it comes up, or goes down
			return nil, fmt.Errorf("HTTP %d", w.reply.StatusCode)
		}
		return nil, fatalError(fmt.Sprintf("an event stream was answered with HTTP %d, %q", w.reply.StatusCode, kind))
	}
	w.lines = bufio.NewScanner(w.reply.Body)
	w.lines.Buffer(nil, longestEvent)
	return w, nil
}

var errComplete = errors.New("the stream is complete")

// next implements wire. The wait for it ends with ctx, and the stream with it.
func (w *eventWire) next(ctx context.Context) (*answer.Answer, error) {
	defer context.AfterFunc(ctx, w.cancel)()
	kind, id, data, err := w.read()
	switch {
	case err != nil:
		return nil, err
	case kind == "complete":
		return nil, errComplete
	case kind != "next":
		return nil, fatalError(fmt.Sprintf("an event of the kind %q", kind))
	}
	a, err := answer.Parse([]byte(data))
	if err != nil {
		return nil, err
	}
	if cursor := a.Text("chatEvents.cursor"); len(a.Errors) == 0 && cursor != id {
		return nil, fatalError(fmt.Sprintf("the event with the cursor %q has the id %q", cursor, id))
	}
	return &a, nil
}

// read returns the next event that came as a whole; what a dying server had begun is none.
func (w *eventWire) read() (kind, id, data string, err error) {
	isAny := false
	for w.lines.Scan() {
		name, value, _ := strings.Cut(w.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case w.lines.Text() == "" && isAny:
			return kind, id, data, nil
		case name == "event":
			kind, isAny = value, true
		case name == "id":
			id = value
		case name == "data":
			data, isAny = value, true
		}
	}
	if err := w.lines.Err(); err != nil {
		return "", "", "", err
	}
	return "", "", "", io.EOF
}

// markRead implements wire.
func (w *eventWire) markRead(upTo int64) {
	ctx, cancel := context.WithTimeout(context.Background(), operationTime)
	defer cancel()
	_, _ = testkit.Post(ctx, http.DefaultClient, w.server, w.reader.person.Token, markRead, map[string]any{"room": w.reader.room, "upTo": upTo})
}

// leave implements wire.
func (w *eventWire) leave() {
	w.cancel()
	_ = w.reply.Body.Close()
}
