package stream

import (
	"strings"
	"sync"
)

// told are the handlers of topics that other instances tell of.
type told struct {
	mu       sync.RWMutex
	handlers []toldHandler
}

type toldHandler struct {
	prefix string
	fn     func(topic string)
}

// Tell sends a hint about a topic that no log keeps, as "session:<id>", to the other instances; this one knows. Like all hints it may be lost. It
// never waits. A topic has at most 200 bytes and no line break, others are not sent. Call it after the commit.
func (l *Log) Tell(topic string) {
	if topic != "" && len(topic) <= maxTopic && !strings.ContainsAny(topic, "\r\n") {
		l.bus.Send(Hint{Topic: topic})
	}
}

// OnTold calls fn, which must return soon, for each topic with the prefix that another instance tells of. Register handlers before Run.
func (l *Log) OnTold(prefix string, fn func(topic string)) {
	l.told.mu.Lock()
	defer l.told.mu.Unlock()
	l.told.handlers = append(l.told.handlers, toldHandler{prefix, fn})
}

func (t *told) call(topic string) {
	t.mu.RLock()
	handlers := t.handlers
	t.mu.RUnlock()
	for _, h := range handlers {
		if strings.HasPrefix(topic, h.prefix) {
			h.fn(topic)
		}
	}
}
