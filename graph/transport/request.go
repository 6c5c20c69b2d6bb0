package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/internal/fault"
)

// refusal is the answer to a request that is not well-formed: the same for every client.
type refusal struct {
	status int
	allow  string // the Allow header of a 405
	cause  *fault.Error
}

func badRequest(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, cause: fault.ErrInvalid.Says(message)}
}

func forgery(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, cause: fault.ErrForbidden.Says(message)}
}

func unsupported(message string) *refusal {
	return &refusal{status: http.StatusUnsupportedMediaType, cause: fault.ErrInvalid.Says(message)}
}

// body is what a request may say; other members are ignored.
type body struct {
	Query         *string        `json:"query"`
	OperationName *string        `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    map[string]any `json:"extensions"`
}

// params returns what the executor is given. Only a persisted query may come without its text.
func (b body) params(header http.Header) (*graphql.RawParams, *refusal) {
	p := &graphql.RawParams{Variables: b.Variables, Extensions: b.Extensions, Headers: header}
	if b.Query != nil {
		p.Query = *b.Query
	}
	if b.OperationName != nil {
		p.OperationName = *b.OperationName
	}
	if p.Query == "" && b.Extensions["persistedQuery"] == nil {
		return nil, badRequest("The query parameter is missing.")
	}
	return p, nil
}

func (x *exchange) postParams() (*graphql.RawParams, *refusal) {
	media, no := requestType(x.r.Header)
	if no != nil {
		return nil, no
	}
	if encoding := x.r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, unsupported("Send the body without a content encoding.")
	}
	limit := x.options.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	text, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, cause: fault.ErrTooLarge}
	}
	if err != nil {
		return nil, badRequest("The body could not be read.")
	}
	if !utf8.Valid(text) {
		return nil, badRequest("The body is not UTF-8.")
	}
	if media == "application/graphql" {
		query := string(text)
		return body{Query: &query}.params(x.r.Header)
	}
	var b body
	if no := decode(text, &b); no != nil {
		return nil, no
	}
	return b.params(x.r.Header)
}

// requestType returns the content type of a POST. Browsers send forms and plain text across sites without asking the
// server first, so these are refused as forgeries, and so is a body without a type.
func requestType(header http.Header) (string, *refusal) {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	switch media {
	case typeJSON, "application/graphql+json", "application/graphql":
		if !utf8Charset(params) {
			return "", unsupported("Send the body in UTF-8.")
		}
		return media, nil
	case "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data":
		return "", forgery("Send the Content-Type application/json.")
	}
	return "", unsupported("Send the Content-Type application/json.")
}

// decode reads one JSON object and nothing after it.
func decode(text []byte, into *body) *refusal {
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		if len(trimmed) > 0 && trimmed[0] == '[' {
			return badRequest("Batches are not supported. Send one operation.")
		}
		return badRequest("The body is not a JSON object.")
	}
	if err := decodeOne(text, into); err != nil {
		return describe(err)
	}
	return nil
}

var errTrailing = errors.New("more than one JSON value")

// decodeOne reads one JSON value and nothing after it, numbers as they are written.
func decodeOne(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func describe(err error) *refusal {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		switch wrong.Field {
		case "query", "operationName":
			return badRequest("The " + wrong.Field + " parameter is not a string.")
		case "variables", "extensions":
			return badRequest("The " + wrong.Field + " parameter is not an object.")
		}
	}
	return badRequest("The body is not valid JSON.")
}

func (x *exchange) getParams() (*graphql.RawParams, *refusal) {
	if no := crossSite(x.r.Header); no != nil {
		return nil, no
	}
	return x.urlParams()
}

func (x *exchange) urlParams() (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The URL's query is not well-formed.")
	}
	query, name := values.Get("query"), values.Get("operationName")
	if !utf8.ValidString(query) || !utf8.ValidString(name) {
		return nil, badRequest("The URL's query is not UTF-8.")
	}
	b := body{Query: &query, OperationName: &name}
	for member, into := range map[string]*map[string]any{"variables": &b.Variables, "extensions": &b.Extensions} {
		text := values.Get(member)
		if text == "" {
			continue
		}
		if err := decodeOne([]byte(text), into); err != nil {
			return nil, badRequest("The " + member + " parameter is not a JSON object.")
		}
	}
	return b.params(x.r.Header)
}

// crossSite refuses a GET that another site's page could have made in the name of its visitor: a cookie, and no
// header that such a page cannot set.
func crossSite(header http.Header) *refusal {
	if header.Get("Cookie") == "" {
		return nil
	}
	for _, name := range []string{"X-Caregraph-Client", "Apollo-Require-Preflight", "X-Requested-With"} {
		if header.Get(name) != "" {
			return nil
		}
	}
	if media, _, err := mime.ParseMediaType(header.Get("Content-Type")); err == nil && media == typeJSON {
		return nil
	}
	return forgery("A GET with a cookie needs the header X-Caregraph-Client or the Content-Type application/json.")
}
