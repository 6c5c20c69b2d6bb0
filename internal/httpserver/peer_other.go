//go:build !linux

package httpserver

import (
	"net"
	"time"
)

func limitSilence(*net.TCPConn, time.Duration) {}
