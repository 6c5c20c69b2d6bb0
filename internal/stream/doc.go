// Package stream keeps ordered logs of events and delivers them.
package stream
