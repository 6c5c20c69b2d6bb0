package transport

import (
	"math"
	"mime"
	"strconv"
	"strings"
)

const (
	typeJSON     = "application/json"
	typeResponse = "application/graphql-response+json"
)

// negotiate returns the media type of the answer, empty when the client takes neither. Of two that the client likes as
// much, application/graphql-response+json wins when it is named.
func negotiate(accept []string) string {
	header := strings.TrimSpace(strings.Join(accept, ","))
	if header == "" {
		return typeJSON
	}
	response, plain := wish{}, wish{}
	for part := range strings.SplitSeq(header, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil || !utf8Charset(params) {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(q) || q < 0 || q > 1 {
				continue
			}
		}
		switch media {
		case typeResponse:
			response.state(q, 3)
		case typeJSON:
			plain.state(q, 3)
		case "application/*":
			response.state(q, 2)
			plain.state(q, 2)
		case "*/*":
			response.state(q, 1)
			plain.state(q, 1)
		}
	}
	switch {
	case response.q == 0 && plain.q == 0:
		return ""
	case response.q > plain.q || response.q == plain.q && response.precision > 2:
		return typeResponse
	}
	return typeJSON
}

// wish is how much a client wants a media type, by the most precise range that covers it.
type wish struct {
	q         float64
	precision int
}

func (w *wish) state(q float64, precision int) {
	if precision > w.precision || precision == w.precision && q > w.q {
		w.q, w.precision = q, precision
	}
}

func utf8Charset(params map[string]string) bool {
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
