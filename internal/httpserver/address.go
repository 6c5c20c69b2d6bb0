package httpserver

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peerOf returns the address of the other end of the connection, invalid when it has none.
func peerOf(remote string) netip.Addr {
	addr, _ := parseAddr(remote)
	return addr
}

func (s *Server) isTrusted(addr netip.Addr) bool {
	return slices.ContainsFunc(s.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// clientBehind returns the client on whose behalf a trusted proxy asks. Each proxy appends the address it was asked from, so from the
// right the list is true as long as the addresses are trusted proxies, and the first other one is the client. What stands left of
// it is what the client says. A proxy that passes on no address, or none that can be read, is taken for the client itself.
func (s *Server) clientBehind(peer netip.Addr, forwarded []string) netip.Addr {
	client := peer
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := parseAddr(strings.TrimSpace(hop))
		if !ok {
			break
		}
		client = addr
		if !s.isTrusted(addr) {
			break
		}
	}
	return client
}

// parseAddr reads an address with or without a port.
func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// isForwardedTLS tells whether the client's connection to the first proxy is TLS. To be told so wrongly costs only the liar: a
// browser does not keep a Secure cookie that came over plain HTTP.
func isForwardedTLS(header http.Header) bool {
	first, _, _ := strings.Cut(header.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}
