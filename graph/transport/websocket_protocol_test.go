package transport

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/fault"
)

const ok = `{"type":"connection_init"}`

func TestSocketSubprotocolIsOurs(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for _, protocols := range [][]string{nil, {"graphql-ws"}, {"other", "graphql-transport-ws2"}} {
		k.dial(protocols, nil).isClosed(4406, "Subprotocol not acceptable")
	}
	c := k.dial([]string{"graphql-ws", subprotocol}, nil)
	c.send(ok)
	c.is("connection_ack", "")
}

func TestSocketMessagesThatEndIt(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	long := strings.Repeat("x", maxID+1)
	for name, test := range map[string]struct {
		before []string
		text   string
		code   int
		reason string
	}{
		"not JSON":                    {nil, `{`, 4400, "Invalid message received"},
		"nothing":                     {nil, ``, 4400, ""},
		"null":                        {nil, `null`, 4400, ""},
		"a list":                      {nil, `[]`, 4400, ""},
		"no type":                     {nil, `{}`, 4400, ""},
		"type is a number":            {nil, `{"type":1}`, 4400, ""},
		"unknown type":                {nil, `{"type":"start"}`, 4400, ""},
		"a message of servers":        {nil, `{"type":"connection_ack"}`, 4400, ""},
		"init payload is a list":      {nil, `{"type":"connection_init","payload":[]}`, 4400, ""},
		"ping payload is text":        {nil, `{"type":"ping","payload":"a"}`, 4400, ""},
		"pong payload is text":        {nil, `{"type":"pong","payload":"a"}`, 4400, ""},
		"operation before init":       {nil, `{"id":"1","type":"subscribe","payload":{"query":"{ who }"}}`, 4401, "Unauthorized"},
		"subscribe without id":        {[]string{ok}, `{"type":"subscribe","payload":{"query":"{ who }"}}`, 4400, ""},
		"subscribe with empty id":     {[]string{ok}, `{"id":"","type":"subscribe","payload":{"query":"{ who }"}}`, 4400, ""},
		"subscribe with a number":     {[]string{ok}, `{"id":1,"type":"subscribe","payload":{"query":"{ who }"}}`, 4400, ""},
		"subscribe with a long id":    {[]string{ok}, `{"id":"` + long + `","type":"subscribe","payload":{"query":"{ who }"}}`, 4400, ""},
		"subscribe without a payload": {[]string{ok}, `{"id":"1","type":"subscribe"}`, 4400, ""},
		"subscribe without a query":   {[]string{ok}, `{"id":"1","type":"subscribe","payload":{}}`, 4400, ""},
		"query is a number":           {[]string{ok}, `{"id":"1","type":"subscribe","payload":{"query":1}}`, 4400, ""},
		"variables are a list":        {[]string{ok}, `{"id":"1","type":"subscribe","payload":{"query":"{ who }","variables":[]}}`, 4400, ""},
		"complete without id":         {[]string{ok}, `{"type":"complete"}`, 4400, ""},
		"second init":                 {[]string{ok}, ok, 4429, "Too many initialisation requests"},
		"too large":                   {[]string{ok}, `{"type":"ping","payload":{"a":"` + strings.Repeat("x", 5000) + `"}}`, 1009, ""},
		"not UTF-8":                   {[]string{ok}, "{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}", 1007, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := k.connect()
			c.t = t
			for _, text := range test.before {
				c.send(text)
				c.is("connection_ack", "")
			}
			c.send(test.text)
			c.isClosed(test.code, test.reason)
		})
	}
	t.Run("binary", func(t *testing.T) {
		t.Parallel()
		c := k.connect()
		require.NoError(t, c.conn.WriteMessage(websocket.BinaryMessage, []byte(ok)))
		c.isClosed(4400, "")
	})
	t.Run("as large as allowed", func(t *testing.T) {
		t.Parallel()
		c := k.connect()
		const open, shut = `{"type":"ping","payload":{"a":"`, `"}}`
		c.send(open + strings.Repeat("x", 4096-len(open)-len(shut)) + shut)
		c.is("pong", "")
	})
}

func TestSocketDuplicateIDs(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	c.subscribe("a", `subscription { ticks { n } }`)
	c.subscribe("a", `{ who }`)
	c.isClosed(4409, "Subscriber for a already exists")
	k.eventually(func() bool { return k.rooms[""].readers() == 0 && k.subscribed.Load() == 0 }, "the subscription is gone")
	c = k.signedIn("good")
	long := strings.Repeat("ö", maxID/2)
	c.subscribe(long, `subscription { ticks { n } }`)
	c.subscribe(long, `{ who }`)
	c.isClosed(4409, "Subscriber for "+strings.Repeat("ö", 54))
}

func TestSocketInit(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for name, test := range map[string]struct {
		payload, cookie string
		code            int
	}{
		"bad token":                 {`{"authorization":"Bearer bad"}`, "", 4403},
		"no scheme":                 {`{"authorization":"good"}`, "", 4403},
		"empty token":               {`{"authorization":"Bearer "}`, "", 4403},
		"authorization is a number": {`{"authorization":7}`, "", 4403},
		"bad cookie":                {`{}`, "bad", 4403},
		"bad token, good cookie":    {`{"authorization":"Bearer bad"}`, "good", 4403},
		"the database is away":      {`{"authorization":"Bearer away"}`, "", 1013},
		"panic":                     {`{"authorization":"Bearer panic"}`, "", 4500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := k.dial([]string{subprotocol}, http.Header{"Cookie": {"who=" + test.cookie}})
			if test.cookie == "" {
				c = k.connect()
			}
			c.t = t
			c.send(`{"type":"connection_init","payload":` + test.payload + `}`)
			c.isClosed(test.code, "")
		})
	}
	t.Run("anonymous", func(t *testing.T) {
		c := k.connect()
		c.send(`{"type":"connection_init","payload":null}`)
		require.JSONEq(t, `{"sessionId":null,"expiresAt":null,"serverTime":"2026-01-02T03:04:05Z"}`, c.is("connection_ack", ""))
		c.subscribe("1", "{ who }")
		require.JSONEq(t, `{"data":{"who":null}}`, c.is("next", "1"))
	})
	t.Run("token", func(t *testing.T) {
		c := k.dial([]string{subprotocol}, http.Header{"Cookie": {"who=good-cookie"}})
		c.send(`{"type":"connection_init","payload":{"authorization":"bearer good-token"}}`)
		ack := c.is("connection_ack", "")
		require.JSONEq(t, `{"sessionId":"`+k.lastSession().ID().String()+`","expiresAt":"2026-01-02T03:24:05Z","serverTime":"2026-01-02T03:04:05Z"}`, ack)
		c.subscribe("1", "{ who }")
		require.JSONEq(t, `{"data":{"who":"good-token"}}`, c.is("next", "1"))
	})
	t.Run("cookie", func(t *testing.T) {
		c := k.dial([]string{subprotocol}, http.Header{"Cookie": {"who=good-cookie"}})
		c.send(ok)
		c.is("connection_ack", "")
		c.subscribe("1", "{ who }")
		require.JSONEq(t, `{"data":{"who":"good-cookie"}}`, c.is("next", "1"))
	})
}

func TestSocketSessionsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	for err, code := range map[error]int{fault.ErrUnauthenticated: 4403, fault.ErrUnavailable: 1013, errors.New("odd"): 4500} {
		k := newKit(t)
		k.refuse = err
		c := k.connect()
		c.send(`{"type":"connection_init","payload":{"authorization":"Bearer good"}}`)
		c.isClosed(code, "")
	}
}

func TestSocketPingAndPong(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.connect()
	c.send(`{"type":"ping"}`)
	require.Empty(t, c.is("pong", ""))
	c.send(`{"type":"pong","payload":{"a":1}}`)
	c.send(`{"type":"ping","payload":{"b":[1, "ü"]}}`)
	require.JSONEq(t, `{"b":[1,"ü"]}`, c.is("pong", ""))
	c.send(ok)
	c.is("connection_ack", "")
	c.send(`{"type":"pong"}`)
	c.isQuiet()
	answered := make(chan string, 1)
	c.conn.SetPongHandler(func(data string) error { answered <- data; return nil })
	require.NoError(t, c.conn.WriteControl(websocket.PingMessage, []byte("control"), time.Now().Add(patience))) //nolint:forbidigo // the network's
	c.subscribe("1", "{ who }")
	c.is("next", "1")
	require.Equal(t, "control", <-answered)
}

func TestSocketInitTimeout(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(o *WebsocketOptions) { o.InitTimeout = 50 * time.Millisecond })
	k.connect().isClosed(4408, "Connection initialisation timeout")
}

func TestSocketOperations(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	for range 2 { // the id is free again
		c.subscribe("1", `{ a: echo(text: "x\ny") }`)
		require.JSONEq(t, `{"data":{"a":"x\ny"}}`, c.is("next", "1"))
		c.is("complete", "1")
	}
	c.send(`{"id":"2","type":"subscribe","payload":{"operationName":"B","query":"query A { who } query B($t: String) { echo(text: $t) }","variables":{"t":12345678901234567890}}}`)
	require.Equal(t, `{"data":{"echo":12345678901234567890}}`, c.is("next", "2"))
	c.is("complete", "2")
	c.subscribe("3", `mutation { touch }`)
	c.is("next", "3")
	c.is("complete", "3")
	c.subscribe("4", `{ fail }`)
	require.Contains(t, c.is("next", "4"), `"data":null`)
	c.is("complete", "4")
	for _, query := range []string{`{`, ``, `{ unknown }`, `query A { who } query B { who }`, `{ refused }`, `query($a: Int!) { who }`, `subscription { ticks(room: "none") { n } }`,
		`subscription { ticks { n } own { n } }`, `subscription { ticks @skip(if: true) { n } }`, `subscription { __typename }`} {
		c.subscribe("5", query)
		errors := c.is("error", "5")
		require.Equal(t, byte('['), errors[0])
		require.Contains(t, errors, `"code"`)
		require.Contains(t, errors, `"requestId":"r-`, "an error names its own request")
		c.isQuiet() // no complete
	}
	c.subscribe("6", `{ requestId }`)
	require.Regexp(t, `{"data":{"requestId":"r-\d+"}}`, c.is("next", "6"))
	c.is("complete", "6")
	c.send(`{"id":"7","type":"subscribe","payload":{"query":"{ background }","extensions":{"background":true}}}`)
	require.JSONEq(t, `{"data":{"background":true}}`, c.is("next", "7"))
	c.is("complete", "7")
	c.send(`{"id":"8","type":"complete"}`) // of nothing
	c.isQuiet()
}

func TestSocketPanicsEndTheOperationAlone(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	for _, query := range []string{`{ boom }`, `subscription { broken { n } }`} {
		c.subscribe("1", query)
		require.Contains(t, c.is("error", "1"), "INTERNAL")
	}
	c.subscribe("2", `subscription { own { n } }`)
	k.eventually(func() bool { return k.rooms[""].readers() == 1 }, "subscribed")
	k.rooms[""].publish("boom")
	require.Contains(t, c.is("error", "2"), "INTERNAL")
	c.isQuiet()
	require.Zero(t, k.rooms[""].readers())
}

func TestSocketRequestLimit(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	k.mu.Lock()
	k.admit = fault.ErrThrottled.After(time.Second)
	k.mu.Unlock()
	c.subscribe("1", "{ who }")
	require.Contains(t, c.is("error", "1"), "THROTTLED")
}

func TestSocketCompleteSilencesARunningOperation(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	c := k.signedIn("good")
	c.subscribe("1", "{ hang }")
	<-k.hanging
	c.send(`{"id":"1","type":"complete"}`)
	c.subscribe("1", "{ who }") // the id is free
	c.is("next", "1")
	c.is("complete", "1")
	c.isQuiet()
}

func TestSocketOtherUpgradesAreIgnored(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	a := post(t, k.server, `{"query":"{ who }"}`, "Upgrade", "h2c", "Connection", "Upgrade")
	require.Equal(t, 200, a.status)
	require.JSONEq(t, `{"data":{"who":null}}`, a.text)
	a = post(t, k.server, `{}`, "Upgrade", "websocket")
	require.Equal(t, 400, a.status)
	require.Contains(t, a.text, "handshake")
}
