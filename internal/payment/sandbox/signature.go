package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/payment"
)

const (
	signatureHeader = "Sandbox-Signature"
	tolerance       = 5 * time.Minute
	maxBody         = 64 << 10
)

// mac signs the time together with the body, so that an old event cannot be given a new time.
func (p *Provider) mac(seconds string, body []byte) []byte {
	h := hmac.New(sha256.New, p.secret)
	_, _ = h.Write([]byte(seconds + ".")) // a hash never fails
	_, _ = h.Write(body)
	return h.Sum(nil)
}

func (p *Provider) sign(now time.Time, body []byte) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(p.mac(seconds, body))
}

// ParseEvent implements payment.Provider. Events of unknown types are returned as they are.
func (p *Provider) ParseEvent(_ context.Context, header http.Header, body []byte) (payment.Event, error) {
	if len(body) > maxBody {
		return payment.Event{}, fmt.Errorf("%w: the body is too large", payment.ErrSignature)
	}
	seconds, signature := readSignature(header.Get(signatureHeader))
	if !hmac.Equal(signature, p.mac(seconds, body)) {
		return payment.Event{}, payment.ErrSignature
	}
	signedAt, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || time.Unix(signedAt, 0).Sub(p.db.Now().Truncate(time.Second)).Abs() > tolerance {
		return payment.Event{}, fmt.Errorf("%w: too old or from the future", payment.ErrSignature)
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" {
		return payment.Event{}, fmt.Errorf("%w: the body is no event", payment.ErrSignature)
	}
	return e.read(), nil
}

// readSignature takes t=...,v1=... apart; what is missing or no hexadecimal number is empty, and fits no body.
func readSignature(text string) (seconds string, signature []byte) {
	for part := range strings.SplitSeq(text, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			seconds = value
		case "v1":
			var err error
			if signature, err = hex.DecodeString(value); err != nil {
				signature = nil
			}
		}
	}
	return seconds, signature
}
