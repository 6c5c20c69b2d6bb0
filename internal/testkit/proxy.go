package testkit

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a program and its database and makes the network fail.
type Proxy struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	changed chan struct{} // closed when the mode changes
	mode    mode
	delay   time.Duration
	pairs   map[*pair]struct{}
	done    sync.WaitGroup
}

type mode uint8

const (
	normal mode = iota
	swallow
	reset
	closed
)

// pair is a client's connection and the one to the target, which a swallowed client never gets.
type pair struct {
	client net.Conn
	server net.Conn
}

// NewProxy returns a proxy in front of the database that the URL names, and the URL that goes through it. It ends with the test.
func NewProxy(tb testing.TB, databaseURL string) (p *Proxy, through string) {
	tb.Helper()
	u, err := url.Parse(databaseURL)
	must(tb, err)
	p = &Proxy{target: u.Host, changed: make(chan struct{}), pairs: map[*pair]struct{}{}}
	if u.Port() == "" {
		p.target = net.JoinHostPort(u.Hostname(), "5432")
	}
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	p.done.Go(p.accept)
	tb.Cleanup(func() {
		_ = p.listener.Close()
		p.set(closed, 0)
		p.done.Wait()
	})
	u.Host = p.listener.Addr().String()
	return p, u.String()
}

// Normal forwards again, also on connections that were swallowed or delayed.
func (p *Proxy) Normal() { p.set(normal, 0) }

// Swallow takes bytes and answers none, also on new connections: a network that drops packets in silence.
func (p *Proxy) Swallow() { p.set(swallow, 0) }

// Reset ends all connections with RST, and every new one at once: a server that is gone.
func (p *Proxy) Reset() { p.set(reset, 0) }

// Delay forwards every piece after d.
func (p *Proxy) Delay(d time.Duration) { p.set(normal, d) }

func (p *Proxy) set(m mode, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode, p.delay = m, delay
	close(p.changed)
	p.changed = make(chan struct{})
	if m == reset || m == closed {
		for c := range p.pairs {
			c.abort()
		}
	}
}

// state returns the mode, its delay and what closes when it changes.
func (p *Proxy) state() (mode, time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.delay, p.changed
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(client) })
	}
}

// serve forwards one connection. The target is dialled only once bytes may pass.
func (p *Proxy) serve(client net.Conn) {
	c := &pair{client: client}
	if !p.add(c) {
		return
	}
	defer p.remove(c)
	if !p.mayPass() {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	if !p.attach(c, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.forward(server, client); c.abort() })
	both.Go(func() { p.forward(client, server); c.abort() })
	both.Wait()
}

// forward copies pieces when they may pass.
func (p *Proxy) forward(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !p.mayPass() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// mayPass waits out the delay and the swallowing, and tells whether the connection lives on.
func (p *Proxy) mayPass() bool {
	for {
		m, delay, changed := p.state()
		switch {
		case m == reset || m == closed:
			return false
		case m == swallow:
			<-changed
		case delay > 0:
			wait := time.NewTimer(delay)
			select {
			case <-wait.C:
				return true
			case <-changed:
				wait.Stop()
			}
		default:
			return true
		}
	}
}

// add keeps track of the connection, or ends it at once when none may be.
func (p *Proxy) add(c *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == reset || p.mode == closed {
		c.abort()
		return false
	}
	p.pairs[c] = struct{}{}
	return true
}

func (p *Proxy) attach(c *pair, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.server = server
	if p.mode == reset || p.mode == closed {
		c.abort()
		return false
	}
	return true
}

func (p *Proxy) remove(c *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
	c.abort()
}

// abort ends both connections with RST.
func (c *pair) abort() {
	for _, conn := range []net.Conn{c.client, c.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		}
	}
}
