package httpserver

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/internal/clock"
)

const maxLogged = 200 // bytes of a path

type metrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "caregraph_http_requests_total", Help: "HTTP requests by route and status.",
		}, []string{"route", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "caregraph_http_request_duration_seconds", Help: "Time to answer an HTTP request, streams left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "caregraph_http_requests_in_flight", Help: "HTTP requests that are being answered, streams included.",
		}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.latency, m.inFlight} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// observe counts the request and logs it when it is done.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := clock.System{}.Now()
		s.metrics.inFlight.Inc()
		defer func() {
			s.metrics.inFlight.Dec()
			s.report(r, max(0, clock.System{}.Now().Sub(begun)))
		}()
		next.ServeHTTP(w, r)
	})
}

// report writes the line and the counts of one request. The path stands without its query, where tokens of links are.
func (s *Server) report(r *http.Request, took time.Duration) {
	c := callOf(r.Context())
	status, bytes := http.StatusInternalServerError, int64(0) // of one that got no answer
	if c.w != nil {
		if written, size := c.w.result(); written != 0 {
			status, bytes = written, size
		}
	}
	route := c.route
	if route == "" {
		route = "other"
	}
	s.metrics.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if !isStream(r) {
		s.metrics.latency.WithLabelValues(route).Observe(took.Seconds())
	}

	level := slog.LevelInfo
	switch route {
	case "/healthz", "/readyz", "/metrics":
		level = slog.LevelDebug // asked every few seconds by machines
	}
	path := r.URL.Path
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", path[:min(len(path), maxLogged)]), slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", bytes), slog.String("request_id", c.id),
	}
	if c.viewer != nil {
		attrs = append(attrs, slog.String("user_id", c.viewer.UserID.String()), slog.String("session_id", c.viewer.SessionID.String()))
	}
	s.options.Log.LogAttrs(r.Context(), level, "request", attrs...)
}
