package httpserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/caregraph/caregraph/internal/fault"
	"github.com/caregraph/caregraph/internal/payment"
)

const (
	maxWebhook     = 256 << 10
	webhookTimeout = 10 * time.Second // providers wait about as long, and send again
)

// serveWebhook hands a payment provider's event over as it came, because the signature is over the raw body. The provider sends again
// whatever was not answered with 200.
func (s *Server) serveWebhook(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), webhookTimeout)
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		writeError(w, r, http.StatusRequestEntityTooLarge, fault.ErrTooLarge)
		return
	}
	if err != nil {
		writeError(w, r, http.StatusBadRequest, fault.ErrInvalid.Says("The body could not be read."))
		return
	}
	err = s.options.Webhook(ctx, r.PathValue("provider"), r.Header, body)
	if err == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	status, f := webhookError(err)
	if status == http.StatusInternalServerError {
		s.options.Log.ErrorContext(ctx, "a payment webhook failed", "request_id", RequestID(ctx), "error", err)
	} else {
		s.options.Log.WarnContext(ctx, "a payment webhook was refused", "request_id", RequestID(ctx), "status", status, "code", f.Code)
	}
	writeError(w, r, status, f)
}

func webhookError(err error) (int, *fault.Error) {
	var f *fault.Error
	switch {
	case errors.Is(err, payment.ErrSignature):
		return http.StatusBadRequest, fault.ErrInvalid.Says("The signature or the time of the event is wrong.")
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, fault.ErrUnavailable
	case !errors.As(err, &f):
	case f.Kind == fault.NotFound:
		return http.StatusNotFound, f
	case f.Kind == fault.Unavailable || f.Kind == fault.Timeout:
		return http.StatusServiceUnavailable, f
	}
	return http.StatusInternalServerError, fault.ErrInternal
}
