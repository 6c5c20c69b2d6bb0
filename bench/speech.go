package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// seat is a participant's place in a room.
type seat struct{ room, token string }

// speech is a protocol over a websocket, as cheap to speak and to understand as can be.
type speech interface {
	path() string
	subprotocols() []string
	hello(s seat) []byte       // signs in
	isWelcome(f []byte) bool   // answers it
	watch(s seat) []byte       // subscribes to the room
	isWatching(f []byte) bool  // answers it
	send(s seat, n int) []byte // sends the message of that number to the room
	read(f []byte, to reader) error
}

// reader is told what a frame says.
type reader interface {
	delivered(n int, position int64) // position 0: the protocol knows none
	acknowledged(n int)
	pinged(pong []byte)
}

// A message is known by a mark at its beginning: 'm' and ten digits.
const (
	markLength = 11
	sentence   = " Shall I take the tablets before or after breakfast?"
)

func markOf(n int) string { return fmt.Sprintf("m%010d", n) }

// findMark returns the number of the first mark in a frame and what follows it.
func findMark(f []byte) (n int, rest []byte, ok bool) {
	for {
		at := bytes.Index(f, []byte(`"m0`))
		if at < 0 || len(f) <= at+1+markLength {
			return 0, nil, false
		}
		f = f[at+1:]
		if n, ok = digits(f[1:markLength]); ok {
			return n, f[markLength:], true
		}
	}
}

func digits(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(text) > 0
}

// numberAfter reads the number behind a key of a frame.
func numberAfter(f []byte, key string) (int64, bool) {
	at := bytes.Index(f, []byte(key))
	if at < 0 {
		return 0, false
	}
	text := f[at+len(key):]
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(text[:end]), 10, 64)
	return n, err == nil
}

func unexpected(f []byte) error { return fmt.Errorf("an unexpected frame: %.400s", f) }

// graphQL is graphql-transport-ws with the product's schema.
type graphQL struct{}

const (
	watchDocument = `subscription($room: ID!) { chatEvents(roomId: $room) { __typename cursor ` +
		`... on MessageAdded { message { id createdAt senderId position body } } } }`
	sendDocument = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } userErrors { code message } } }`
)

func (graphQL) path() string           { return "/graphql" }
func (graphQL) subprotocols() []string { return []string{"graphql-transport-ws"} }

func (graphQL) hello(s seat) []byte {
	return frame(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + s.token}})
}

func (graphQL) isWelcome(f []byte) bool { return bytes.Contains(f, []byte(`"connection_ack"`)) }

func (graphQL) watch(s seat) []byte {
	return frame(map[string]any{"id": "watch", "type": "subscribe", "payload": map[string]any{
		"query": watchDocument, "variables": map[string]string{"room": s.room},
	}})
}

func (graphQL) isWatching(f []byte) bool { return bytes.Contains(f, []byte(`"StreamOpened"`)) }

func (graphQL) send(s seat, n int) []byte {
	mark := markOf(n)
	return []byte(`{"id":"` + mark + `","type":"subscribe","payload":{"query":"` + sendDocument + `","variables":{"input":{"roomId":"` + s.room +
		`","body":"` + mark + sentence + `","clientMessageId":"` + mark + `"}}}}`)
}

func (graphQL) read(f []byte, to reader) error {
	n, rest, ok := findMark(f)
	switch {
	case ok && rest[0] == ' ':
		position, ok := numberAfter(f, `"position":`)
		if !ok {
			return unexpected(f)
		}
		to.delivered(n, position)
	case ok && bytes.Contains(f, []byte(`"userErrors":[]`)):
		to.acknowledged(n)
	case ok && bytes.Contains(f, []byte(`"complete"`)): // of a mutation
	case bytes.Contains(f, []byte(`"ping"`)):
		to.pinged([]byte(`{"type":"pong"}`))
	default:
		return unexpected(f)
	}
	return nil
}

func frame(content any) []byte {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // only texts and numbers come in
	}
	return text
}

// channels is centrifuge's JSON protocol: a channel for a room. A frame holds one or more lines.
type channels struct{}

const firstPublish = 3 // id of the first publish command

func (channels) path() string           { return "/connection" }
func (channels) subprotocols() []string { return nil }

func (channels) hello(s seat) []byte {
	return frame(map[string]any{"id": 1, "connect": map[string]string{"token": s.token}})
}

func (channels) isWelcome(f []byte) bool { return bytes.HasPrefix(f, []byte(`{"id":1,"connect"`)) }

func (channels) watch(s seat) []byte {
	return frame(map[string]any{"id": 2, "subscribe": map[string]string{"channel": s.room}})
}

func (channels) isWatching(f []byte) bool { return bytes.HasPrefix(f, []byte(`{"id":2,"subscribe"`)) }

func (channels) send(s seat, n int) []byte {
	return []byte(`{"id":` + strconv.Itoa(n+firstPublish) + `,"publish":{"channel":"` + s.room + `","data":{"body":"` + markOf(n) + sentence + `"}}}`)
}

func (channels) read(f []byte, to reader) error {
	for line := range bytes.Lines(f) {
		line = bytes.TrimRight(line, "\n")
		if n, _, ok := findMark(line); ok {
			to.delivered(n, 0)
			continue
		}
		id, ok := numberAfter(line, `{"id":`)
		switch {
		case ok && bytes.Contains(line, []byte(`"publish":`)):
			to.acknowledged(int(id) - firstPublish)
		case string(line) == "{}":
			to.pinged([]byte("{}"))
		default:
			return unexpected(line)
		}
	}
	return nil
}
