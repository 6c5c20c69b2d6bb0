package nothinglost

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	operationTime = 10 * time.Second // one attempt, whatever happens to the server
	pause         = 15 * time.Millisecond
	drainTime     = 30 * time.Second
)

// client is the state of Run.
type client struct {
	plan                   Plan
	acks, attempts, events *journal
	out                    io.Writer
	outMu                  sync.Mutex
	stop                   chan struct{} // closed when the writers shall come to an end
	mu                     sync.Mutex
	last                   map[string]int64 // room -> position of its last message, once nobody writes any more
	ended                  chan struct{}    // closed when last is known
	failures               chan error
}

// Run is the client. On in it is given a Plan as one line of JSON, then "stop". On out it says "ready" once all readers are subscribed, "acked" for each acknowledgement,
// and "done" when every reader has been given the last message of its room. It fails at what must not happen, such as a message refused for good.
func Run(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	lines := bufio.NewReader(in)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	c := &client{out: out, stop: make(chan struct{}), ended: make(chan struct{}), last: map[string]int64{}, failures: make(chan error, 1)}
	if err := json.Unmarshal(first, &c.plan); err != nil {
		return err
	}
	for name, j := range map[string]**journal{acksLog: &c.acks, attemptsLog: &c.attempts, eventsLog: &c.events} {
		if *j, err = newJournal(c.plan.Dir, name, name != eventsLog); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, (*j).close()) }()
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	read, err := c.startReaders(ctx, &all)
	if err != nil {
		return err
	}
	c.say("ready")
	written := c.startWriters(ctx, &all)
	go func() {
		if _, err := lines.ReadBytes('\n'); err != nil {
			c.fail(fmt.Errorf("whoever started this is gone: %w", err))
		}
		close(c.stop)
	}()
	if err := c.await(written, 0); err != nil {
		return err
	}
	close(c.ended)
	if err := c.await(read, drainTime); err != nil {
		return err
	}
	c.say("done")
	return nil
}

// await waits for a part of the work, at most for within when it is not 0, or for a failure.
func (c *client) await(done <-chan struct{}, within time.Duration) error {
	var late <-chan time.Time
	if within > 0 {
		timer := time.NewTimer(within)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-done:
		return nil
	case err := <-c.failures:
		return err
	case <-late:
		return fmt.Errorf("not everything was delivered %s after the last acknowledgement", within)
	}
}

// startReaders returns once every reader is subscribed; read is closed when all have read to the end.
func (c *client) startReaders(ctx context.Context, all *sync.WaitGroup) (read <-chan struct{}, err error) {
	var opened, ended sync.WaitGroup
	n := 0
	for _, room := range c.plan.Rooms {
		for _, person := range room.Readers {
			r := &reader{client: c, room: room.ID, person: person, at: n, opened: sync.OnceFunc(opened.Done)}
			n++
			opened.Add(1)
			ended.Add(1)
			all.Go(func() {
				defer ended.Done()
				c.fail(r.run(ctx))
			})
		}
	}
	return closing(&ended), c.await(closing(&opened), operationTime)
}

func (c *client) startWriters(ctx context.Context, all *sync.WaitGroup) (written <-chan struct{}) {
	var ended sync.WaitGroup
	n := 0
	for _, room := range c.plan.Rooms {
		for _, person := range room.Writers {
			w := &writer{client: c, room: room.ID, person: person, at: n, overSocket: n%2 == 1}
			n++
			ended.Add(1)
			all.Go(func() {
				defer ended.Done()
				c.fail(w.run(ctx))
			})
		}
	}
	return closing(&ended)
}

// closing turns the end of a group into a channel.
func closing(group *sync.WaitGroup) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		group.Wait()
	}()
	return over
}

// fail keeps the first failure.
func (c *client) fail(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	select {
	case c.failures <- err:
	default:
	}
}

func (c *client) say(word string) {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	_, _ = fmt.Fprintln(c.out, word) // nobody there any more: the end of in tells too
}

// url returns the server to go to, another one for every number.
func (c *client) url(n int) string { return c.plan.URLs[n%len(c.plan.URLs)] }

// acked notes the last position of a room.
func (c *client) acked(a Ack) error {
	c.mu.Lock()
	c.last[a.Room] = max(c.last[a.Room], a.Position)
	c.mu.Unlock()
	if err := c.acks.add(a); err != nil {
		return err
	}
	c.say("acked")
	return nil
}

// hasAll tells whether nobody writes any more and the position is the last of the room.
func (c *client) hasAll(room string, position int64) bool {
	select {
	case <-c.ended:
		c.mu.Lock()
		defer c.mu.Unlock()
		return position >= c.last[room]
	default:
		return false
	}
}

// rest waits a moment before another attempt.
func rest(ctx context.Context) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
