package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// operationMetrics counts and times GraphQL operations by their first root field, which the schema bounds.
func operationMetrics(registry *prometheus.Registry) func(operation, kind, result string, took time.Duration) {
	factory := promauto.With(registry)
	operations := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "caregraph_operations_total", Help: "GraphQL operations by first root field, kind and result.",
	}, []string{"operation", "kind", "result"})
	seconds := factory.NewHistogramVec(prometheus.HistogramOpts{
		Name: "caregraph_operation_seconds", Help: "Time to answer GraphQL operations.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10),
	}, []string{"kind"})
	return func(operation, kind, result string, took time.Duration) {
		operations.WithLabelValues(operation, kind, result).Inc()
		seconds.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// socketMetrics counts what is open: websockets, and subscriptions on them.
func socketMetrics(registry *prometheus.Registry) (sockets, subscriptions func(change int)) {
	gauge := func(name, help string) func(int) {
		g := promauto.With(registry).NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		return func(change int) { g.Add(float64(change)) }
	}
	return gauge("caregraph_sockets", "Websockets that are open."), gauge("caregraph_subscriptions", "Subscriptions that are open.")
}
