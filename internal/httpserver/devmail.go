package httpserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
)

// DevMailItem is a mail that was not sent, for the eyes of who tries the program out.
type DevMailItem struct {
	At      time.Time
	To      string
	Subject string
	Text    string
}

const mailStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#f6f7f9}` +
	`article{background:#fff;border:1px solid #d8dde4;border-radius:.5rem;padding:1rem 1.25rem;margin:1rem 0}` +
	`h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0}.about{color:#596577;margin:.25rem 0 .75rem}.text{white-space:pre-wrap;overflow-wrap:anywhere}`

var mailPage = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Caregraph mail</title><style>` + mailStyle + `</style></head>
<body>
<h1>Mail</h1>
<p class="about">These mails stay here, because no mail server is set. Newest first; reload to see more.</p>
{{range .}}<article>
<h2>{{.Subject}}</h2>
<p class="about">to {{.To}}, {{.At.UTC.Format "2 Jan 2006 15:04:05"}} UTC</p>
<div class="text">{{range .Parts}}{{if .IsLink}}<a href="{{.Text}}" rel="noopener noreferrer">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</div>
</article>
{{else}}<p>No mail yet.</p>
{{end}}</body>
</html>
`))

// mailPolicy allows the page its own style and nothing else.
var mailPolicy = func() string {
	sum := sha256.Sum256([]byte(mailStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// serveDevMail shows the mails that a mail server would have sent.
func (s *Server) serveDevMail(w http.ResponseWriter, r *http.Request) {
	items, err := s.options.DevMail(r.Context())
	if err != nil {
		s.options.Log.ErrorContext(r.Context(), "mails could not be listed", "request_id", RequestID(r.Context()), "error", err)
		writeError(w, r, http.StatusInternalServerError, fault.ErrInternal)
		return
	}
	shown := make([]shownMail, len(items))
	for i, item := range items {
		shown[i] = shownMail{item, splitLinks(item.Text)}
	}
	var page bytes.Buffer
	if err := mailPage.Execute(&page, shown); err != nil { // a buffer takes every write, and the template is fixed
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", mailPolicy)
	_, _ = w.Write(page.Bytes())
}

type shownMail struct {
	DevMailItem
	Parts []part
}

// part is a piece of a mail's text.
type part struct {
	Text   string
	IsLink bool
}

var link = regexp.MustCompile(`https?://[^\s<>"']+`)

// splitLinks finds the web addresses in a text. Punctuation at the end of one belongs to the sentence.
func splitLinks(text string) (parts []part) {
	for text != "" {
		at := link.FindStringIndex(text)
		if at == nil {
			return append(parts, part{Text: text})
		}
		address := strings.TrimRight(text[at[0]:at[1]], ".,;:!?)")
		if at[0] > 0 {
			parts = append(parts, part{Text: text[:at[0]]})
		}
		parts = append(parts, part{Text: address, IsLink: true})
		text = text[at[0]+len(address):]
	}
	return parts
}
