package sandbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/caregraph/caregraph/internal/access"
)

const deliveryTimeout = 10 * time.Second

// announce delivers the events in order and tells whether all of them have been accepted, now or before. A failure is logged: what is
// stored on this side stands, and is told again later.
func (p *Provider) announce(ctx context.Context, events ...event) (accepted bool) {
	for _, e := range events {
		if p.accepted.Contains(e.ID) {
			continue
		}
		status, err := p.post(ctx, e)
		if err != nil || status/100 != 2 {
			p.log.WarnContext(ctx, "the sandbox could not deliver a payment event",
				slog.String("type", string(e.Type)), slog.String("order", e.Data.Object.Metadata.OrderID), slog.Int("status", status), slog.Any("error", err))
			return false
		}
		p.accepted.Add(e.ID, struct{}{})
	}
	return true
}

func (p *Provider) post(ctx context.Context, e event) (status int, err error) {
	now := p.db.Now()
	e.Created = now.Unix()
	body, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	header.Set(signatureHeader, p.sign(now, body))
	ctx, cancel := context.WithTimeout(stranger(ctx), deliveryTimeout)
	defer cancel()
	return p.send(ctx, header, body)
}

// stranger returns a ctx like that of a call from outside: nobody is signed in, and the one who clicked may be gone.
func stranger(ctx context.Context) context.Context {
	return access.WithHolder(access.As(context.WithoutCancel(ctx), nil))
}
