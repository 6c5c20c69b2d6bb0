package identity

import (
	"context"
	"net/netip"
	"strings"
	"unicode"
)

// Client is where a request comes from.
type Client struct {
	IP        string
	UserAgent string // as the program names itself
}

type clientKey struct{}

// WithClient returns a ctx whose sign-ins come from the client.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// The columns' sizes, in bytes.
const (
	maxIP        = 45
	maxUserAgent = 512
)

// clientOf returns the client of ctx in a form that can be stored.
func clientOf(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return Client{IP: storable(c.IP, maxIP), UserAgent: storable(c.UserAgent, maxUserAgent)}
}

// storable drops what a text column does not take, and what is too long for it.
func storable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// network is the address that limits count for: a household has a whole /64 of IPv6 addresses.
func (c Client) network() string {
	addr, err := netip.ParseAddr(c.IP)
	if err != nil {
		return c.IP
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
