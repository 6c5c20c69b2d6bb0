package transport

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const hello = `{"query":"{ __typename }"}`

// Rule 1.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for accept, want := range map[string]string{
		"":                                   typeJSON,
		"*/*":                                typeJSON,
		"application/*":                      typeJSON,
		typeJSON:                             typeJSON,
		typeResponse:                         typeResponse,
		typeResponse + "; charset=utf-8":     typeResponse,
		typeResponse + ", " + typeJSON:       typeResponse,
		typeJSON + ", " + typeResponse:       typeResponse,
		typeResponse + ";q=0.5, " + typeJSON: typeJSON,
		typeResponse + ", " + typeJSON + ";q=0.9":     typeResponse,
		"*/*, " + typeJSON + ";q=0.1":                 typeResponse,
		typeJSON + ";q=0.1, */*":                      typeResponse,
		"*/*, " + typeJSON + ";q=0":                   typeResponse,
		"application/*;q=0.2, " + typeResponse:        typeResponse,
		"text/html, application/xhtml+xml, */*;q=0.8": typeJSON,
		"text/html": "", "text/event-stream": "", typeJSON + ";q=0": "", "application/json;charset=latin1": "", "nonsense;;": "", typeJSON + ";q=NaN": "",
	} {
		a := post(t, server, hello, "Accept", accept)
		if want == "" {
			require.Equal(t, http.StatusNotAcceptable, a.status, accept)
			require.Equal(t, "INVALID_INPUT", a.code(t))
			continue
		}
		require.Equal(t, 200, a.status, accept)
		require.Equal(t, want+"; charset=utf-8", a.header.Get("Content-Type"), accept)
	}
}

// Rule 2: what is not well-formed is the same for every client.
func TestMalformedRequestsAre400(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for name, body := range map[string]string{
		"empty": "", "blank": "  ", "not JSON": `{ "not a`, "text": `"{ me }"`, "null": "null", "two values": hello + hello, "trailing": hello + "}",
		"no query": `{"notquery":"{ __typename }"}`, "empty query": `{"query":""}`, "null query": `{"query":null}`,
		"query is a number": `{"query":1}`, "operationName is a list": `{"query":"{ __typename }","operationName":["a"]}`,
		"variables are text": `{"query":"{ __typename }","variables":"a"}`, "variables are a list": `{"query":"{ __typename }","variables":[]}`,
		"extensions are false": `{"query":"{ __typename }","extensions":false}`, "not UTF-8": "{\"query\":\"{ __typename } #\xff\"}",
		"batch": "[" + hello + "," + hello + "]",
	} {
		for _, accept := range []string{typeJSON, typeResponse} {
			a := post(t, server, body, "Accept", accept)
			require.Equal(t, 400, a.status, name)
			require.Equal(t, "INVALID_INPUT", a.code(t), name)
			require.Nil(t, a.body.Data)
		}
	}
	for _, query := range []string{"", "?query=", "?query={__typename}&variables=x", "?query={__typename}&variables={}x", "?query={__typename}&extensions=[]", "?query=%ff", "?query=%zz"} {
		require.Equal(t, "INVALID_INPUT", send(t, server, http.MethodGet, "/"+query, "").code(t), query)
	}
}

// Rule 2.
func TestStatusOfRequestsThatAreNotExecuted(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for query, want := range map[string][2]int{ // application/json, application/graphql-response+json
		`{`: {200, 400}, `{ unknown }`: {200, 400}, `query($id: ID!) { __typename }`: {200, 400},
		`query($t: String!) { echo(text: $t) }`: {200, 400}, `subscription { ticks }`: {400, 400},
		`{ throttled }`: {429, 429}, `{ unavailable }`: {200, 503}, `{ fail }`: {200, 200}, `{ __typename }`: {200, 200},
	} {
		for i, accept := range []string{typeJSON, typeResponse} {
			a := post(t, server, `{"query":"`+query+`"}`, "Accept", accept)
			require.Equal(t, want[i], a.status, query)
			if want[1] != 200 {
				require.NotEmpty(t, a.code(t))
				require.NotContains(t, a.text, `"data"`)
			}
		}
	}
}

func TestThrottledAnswersCarryRetryAfter(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for range 2 {
		a := post(t, server, `{"query":"{ throttled }"}`)
		require.Equal(t, 429, a.status)
		require.Equal(t, "7", a.header.Get("Retry-After"))
		require.Equal(t, "THROTTLED", a.code(t))
	}
	require.NotContains(t, shared.Extensions, "requestId", "the shared error was written to")
	for value, want := range map[any]int64{nil: 1, 0: 1, int64(3): 3, int32(3): 3, 2.5: 2, "x": 1} {
		require.Equal(t, want, retryAfter(&gqlerror.Error{Extensions: map[string]any{"retryAfter": value}}))
	}
}

// Rule 3.
func TestFormsAreRefusedAsForgeries(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, media := range []string{"", "text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ";;"} {
		a := post(t, server, hello, "Content-Type", media)
		require.Equal(t, 400, a.status, media)
		require.Equal(t, "FORBIDDEN", a.code(t))
	}
	for _, media := range []string{"application/xml", "application/json; charset=latin1", "application/octet-stream"} {
		require.Equal(t, 415, post(t, server, hello, "Content-Type", media).status, media)
	}
	require.Equal(t, 415, post(t, server, hello, "Content-Encoding", "gzip").status)
	for media, body := range map[string]string{
		"application/json": hello, "application/json; charset=utf-8": hello, "application/graphql+json": hello, "application/graphql": "{ __typename }",
	} {
		require.JSONEq(t, `{"data":{"__typename":"Query"}}`, post(t, server, body, "Content-Type", media).text)
	}
}

// Rule 3.
func TestGetWithACookieNeedsAHeader(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	get := func(headers ...string) answer {
		return send(t, server, http.MethodGet, "/?query=%7B__typename%7D", "", headers...)
	}
	require.Equal(t, 200, get().status)
	refused := get("Cookie", "session=1")
	require.Equal(t, 400, refused.status)
	require.Equal(t, "FORBIDDEN", refused.code(t))
	require.Equal(t, 400, get("Cookie", "session=1", "Content-Type", "text/plain").status)
	for _, name := range []string{"X-Caregraph-Client", "Apollo-Require-Preflight", "X-Requested-With"} {
		require.Equal(t, 200, get("Cookie", "session=1", name, "1").status)
	}
	require.Equal(t, 200, get("Cookie", "session=1", "Content-Type", "application/json; charset=utf-8").status)
}

// Rule 3.
func TestGetRunsQueriesAlone(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	ask := func(query string) answer {
		return send(t, server, http.MethodGet, "/?"+url.Values{"query": {query}, "variables": {`{"t":"ö"}`}, "operationName": {"Q"}, "extensions": {`{"a":1}`}}.Encode(), "")
	}
	require.JSONEq(t, `{"data":{"echo":"ö"}}`, ask("query Q($t: String) { echo(text: $t) } mutation M { touch }").text)
	mutation := ask("mutation Q { touch }")
	require.Equal(t, 405, mutation.status)
	require.Equal(t, "POST", mutation.header.Get("Allow"))
	require.Equal(t, "INVALID_INPUT", mutation.code(t))
	require.Equal(t, 400, ask("subscription Q { ticks }").status)
	require.JSONEq(t, `{"data":{"touch":null}}`, post(t, server, `{"query":"mutation { touch }"}`).text)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodHead} {
		a := send(t, server, method, "/", "")
		require.Equal(t, 405, a.status)
		require.Equal(t, "GET, POST", a.header.Get("Allow"))
	}
}

// Rule 4.
func TestAnswersDoNotRepeatTheRequest(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, body := range []string{`{"query": secret`, `["secret"]`, `{"query":{"secret":1}}`, `{"variables":"secret"}`} {
		require.NotContains(t, post(t, server, body).text, "secret")
	}
}

// Rule 4: an extension that JSON cannot hold costs the extension, not the answer.
func TestErrorsWithStrangeExtensionsAreStillCoded(t *testing.T) {
	t.Parallel()
	require.Equal(t, "CONFLICT", post(t, newServer(t), `{"query":"{ strange }"}`).code(t))
}

// Rule 4: an error of a field that has no code is an internal one.
func TestFieldErrorsWithoutACodeAreInternal(t *testing.T) {
	t.Parallel()
	a := post(t, newServer(t), `{"query":"{ fail }"}`)
	require.Equal(t, "INTERNAL", a.code(t))
	require.Contains(t, a.text, `"data":null`)
}

// Rule 4: a document can be wrong in thousands of places.
func TestErrorsOfARefusedRequestAreFew(t *testing.T) {
	t.Parallel()
	a := post(t, newServer(t), `{"query":"{`+strings.Repeat(" unknown", 400)+`}"}`)
	require.Len(t, a.body.Errors, maxErrors)
}

// Rule 5.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	sized := func(n int) string {
		const open, shut = `{"query":"{ __typename }","other":"`, `"}`
		return open + strings.Repeat("x", n-len(open)-len(shut)) + shut
	}
	require.Equal(t, 200, post(t, server, sized(4096)).status)
	a := post(t, server, sized(4097))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Equal(t, "PAYLOAD_TOO_LARGE", a.code(t))
}

// Rule 5.
func TestUnknownAndNullMembersAreIgnored(t *testing.T) {
	t.Parallel()
	a := post(t, newServer(t), `{"query":"{ __typename }","id":7,"variables":null,"operationName":null,"extensions":null}`)
	require.JSONEq(t, `{"data":{"__typename":"Query"}}`, a.text)
}

// Rule 5: the text of a persisted query may be left out; an extension of the executor finds it.
func TestExtensionsArePassedOn(t *testing.T) {
	t.Parallel()
	b := body{Extensions: map[string]any{"persistedQuery": map[string]any{"version": 1}}}
	params, refused := b.params(http.Header{})
	require.Nil(t, refused)
	require.Equal(t, b.Extensions, params.Extensions)
	require.NotContains(t, post(t, newServer(t), `{"extensions":{"persistedQuery":{"version":1}}}`).text, "missing")
}

// Rule 6.
func TestDataIsWrittenAsItIs(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"data":{"a":{ "raw" :1}}}`, post(t, newServer(t), `{"query":"{ a: data }"}`).text)
}

func TestVariablesKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	a := post(t, newServer(t), `{"query":"query($t: String) { echo(text: $t) }","variables":{"t":12345678901234567890}}`)
	require.Equal(t, `{"data":{"echo":12345678901234567890}}`, a.text)
	a = post(t, newServer(t), `{"query":"query($t: String) { echo(text: $t) }","variables":{"t":"Run🏃"}}`)
	require.JSONEq(t, `{"data":{"echo":"Run🏃"}}`, a.text)
}
