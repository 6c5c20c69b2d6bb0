package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	maxPerSlice    = 200_000 // requests of one client in one slice, whatever the clock says
)

// request is a prepared HTTP request and the exact body that answers it.
type request struct{ wire, want []byte }

// newRequest writes the request as it goes over the wire, so that sending it costs the shared processors next to nothing.
func newRequest(method, url, token string, body []byte) (request, error) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body)) //nolint:noctx // it is only written
	if err != nil {
		return request{}, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "caregraph-bench")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	var wire bytes.Buffer
	err = r.Write(&wire)
	return request{wire: wire.Bytes()}, err
}

// keepAlive is one client: a connection that is used for one request after the other.
type keepAlive struct {
	conn   net.Conn
	reader *bufio.Reader
	body   bytes.Buffer
}

func dial(ctx context.Context, url string) (*keepAlive, error) {
	dialer := net.Dialer{Timeout: requestTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", url, err)
	}
	return newKeepAlive(conn), nil
}

func newKeepAlive(conn net.Conn) *keepAlive {
	return &keepAlive{conn: conn, reader: bufio.NewReaderSize(conn, 32<<10)}
}

// do sends a request and returns the answer's status and body; the body is good until the next call.
func (k *keepAlive) do(wire []byte) (status int, body []byte, err error) {
	if err := k.conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, nil, err
	}
	if _, err := k.conn.Write(wire); err != nil {
		return 0, nil, err
	}
	answer, err := http.ReadResponse(k.reader, nil)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	k.body.Reset()
	_, err = k.body.ReadFrom(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, k.body.Bytes(), err
}

// load is one server under load: clients that repeat its requests.
type load struct {
	clients  []*keepAlive
	requests []request
}

// newLoad connects the clients and lets the first fetch the answer that every later one must equal byte for byte.
func newLoad(ctx context.Context, url string, clients int, requests []request) (*load, error) {
	l := &load{requests: requests}
	for range clients {
		k, err := dial(ctx, url)
		if err != nil {
			l.close()
			return nil, err
		}
		l.clients = append(l.clients, k)
	}
	for i := range requests {
		status, body, err := l.clients[0].do(requests[i].wire)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d: %.300s", status, body)
		}
		if err != nil {
			l.close()
			return nil, fmt.Errorf("%s did not answer as it should: %w", url, err)
		}
		requests[i].want = bytes.Clone(body)
	}
	return l, nil
}

func (l *load) close() {
	for _, k := range l.clients {
		_ = k.conn.Close()
	}
}

// slice is what a piece of time under load brought: how long each request took, and how long it all took.
type slice struct {
	took    []time.Duration
	elapsed time.Duration
}

// run loads the server for the duration with all clients at once. A wrong answer ends it with an error.
func (l *load) run(ctx context.Context, duration time.Duration) (slice, error) {
	took, errs := make([][]time.Duration, len(l.clients)), make([]error, len(l.clients))
	start := time.Now()
	var all sync.WaitGroup
	for i := range l.clients {
		all.Go(func() { took[i], errs[i] = l.drive(ctx, i, start.Add(duration)) })
	}
	all.Wait()
	return slice{took: slices.Concat(took...), elapsed: time.Since(start)}, errors.Join(errs...)
}

// drive is one client's loop. The clients begin at different requests, so that they do not march in step.
func (l *load) drive(ctx context.Context, client int, until time.Time) ([]time.Duration, error) {
	var took []time.Duration
	offset := client * len(l.requests) / len(l.clients)
	for n := range maxPerSlice {
		begun := time.Now()
		if !begun.Before(until) || ctx.Err() != nil {
			break
		}
		r := l.requests[(offset+n)%len(l.requests)]
		status, body, err := l.clients[client].do(r.wire)
		if err != nil {
			return took, fmt.Errorf("a request under load failed: %w", err)
		}
		if status != http.StatusOK || !bytes.Equal(body, r.want) {
			return took, fmt.Errorf("a wrong answer under load, status %d: %.300s\nexpected: %.300s", status, body, r.want)
		}
		took = append(took, time.Since(begun))
	}
	return took, ctx.Err()
}

// percentile returns the smallest sample that the share of all samples does not exceed. The samples are sorted.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
