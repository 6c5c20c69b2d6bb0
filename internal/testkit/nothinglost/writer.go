package nothinglost

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/answer"
	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

const sendMessage = `mutation($room: ID!, $body: String!, $id: String!) { sendMessage(input: {roomId: $room, body: $body, clientMessageId: $id}) {
  message { id position createdAt body clientMessageId } userErrors { code message } } }`

// writer sends one message after another, each again until it is acknowledged, over HTTP or its own socket.
type writer struct {
	*client
	room       string
	person     Person
	at         int // the server to use
	overSocket bool
	socket     *wsclient.Conn
}

func (w *writer) run(ctx context.Context) error {
	defer w.hangUp()
	for n := 1; ; n++ {
		select {
		case <-w.stop:
			return nil
		default:
		}
		if err := w.send(ctx, n); err != nil {
			return fmt.Errorf("writer %s: %w", w.person.Name, err)
		}
	}
}

// send returns once the message is acknowledged and the acknowledgement is on the disk.
func (w *writer) send(ctx context.Context, n int) error {
	id := w.person.Name + "-" + strconv.Itoa(n)
	vars := map[string]any{"room": w.room, "body": "message " + id, "id": id}
	for attempts := 1; ; attempts++ {
		sent, url := clock.System{}.Now(), w.url(w.at)
		a, err := w.ask(ctx, url, vars)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && a.Code() == "" && a.Text("sendMessage.message.id") != "" {
			return w.acknowledged(a, n, id, attempts)
		}
		problem := ""
		if err != nil {
			problem = err.Error()
		} else if problem = a.Code(); problem != "UNAVAILABLE" && problem != "TIMEOUT" {
			return fmt.Errorf("message %s was answered with %q: %+v", id, problem, a)
		}
		w.at++ // the next server, if there is one
		w.hangUp()
		if err := w.attempts.add(Attempt{Writer: w.person.Name, ClientID: id, URL: url, Problem: problem, SentAt: sent, EndedAt: clock.System{}.Now()}); err != nil {
			return err
		}
		rest(ctx)
	}
}

func (w *writer) acknowledged(a *answer.Answer, n int, id string, attempts int) error {
	const at = "sendMessage.message."
	if a.Text(at+"clientMessageId") != id || a.Text(at+"body") != "message "+id {
		return fmt.Errorf("message %s was answered with another: %+v", id, a.Data)
	}
	created, err := time.Parse(time.RFC3339Nano, a.Text(at+"createdAt"))
	if err != nil {
		return err
	}
	return w.acked(Ack{
		Room: w.room, Writer: w.person.Name, ClientID: id, ID: a.Text(at + "id"), Number: n, Position: int64(a.Int(at + "position")), Attempts: attempts,
		At: clock.System{}.Now(), CreatedAt: created,
	})
}

func (w *writer) ask(ctx context.Context, url string, vars map[string]any) (*answer.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	if !w.overSocket {
		return testkit.Post(ctx, http.DefaultClient, url, w.person.Token, sendMessage, vars)
	}
	if w.socket == nil {
		socket, err := wsclient.Dial(ctx, url, wsclient.Options{Token: w.person.Token})
		if err != nil {
			return nil, err
		}
		w.socket = socket
	}
	return w.socket.Do(ctx, sendMessage, vars)
}

func (w *writer) hangUp() {
	if w.socket != nil {
		w.socket.Drop()
		w.socket = nil
	}
}
