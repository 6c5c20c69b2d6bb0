package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/civil"
	"github.com/caregraph/caregraph/internal/money"
)

// The readers of values. Their errors continue a sentence that begins with the setting's name, and never repeat the value: it may be
// a secret that was put in the wrong place.

func text(value string) (string, error) { return value, nil }

func secret(value string) (Secret, error) { return NewSecret(value), nil }

func oneOf[T ~string](words ...T) func(string) (T, error) {
	return func(value string) (T, error) {
		named := make([]string, len(words))
		for i, word := range words {
			if value == string(word) {
				return word, nil
			}
			named[i] = string(word)
		}
		return "", errors.New("must be one of " + strings.Join(named, ", "))
	}
}

// either reads one of two words; the first means true.
func either(yes, no string) func(string) (bool, error) {
	read := oneOf(yes, no)
	return func(value string) (bool, error) {
		word, err := read(value)
		return word == yes, err
	}
}

func whole[T int | int64](lowest, highest T) func(string) (T, error) {
	return func(value string) (T, error) {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < int64(lowest) || n > int64(highest) {
			return 0, fmt.Errorf("must be a whole number from %d to %d", lowest, highest)
		}
		return T(n), nil
	}
}

// span reads a number of seconds, or a duration such as 20m.
func span(shortest, longest time.Duration) func(string) (time.Duration, error) {
	return func(value string) (time.Duration, error) {
		if strings.Trim(value, "0123456789") == "" {
			value += "s"
		}
		d, err := time.ParseDuration(value)
		if err != nil || d < shortest || d > longest {
			return 0, fmt.Errorf("must be a number of seconds, or a duration such as 90s or 20m, from %v to %v", shortest, longest)
		}
		return d, nil
	}
}

func logLevel(value string) (slog.Level, error) {
	word, err := oneOf("debug", "info", "warn", "error")(value)
	if err != nil {
		return 0, err
	}
	var level slog.Level
	return level, level.UnmarshalText([]byte(word))
}

func list[T any](read func(string) (T, error)) func(string) ([]T, error) {
	return func(value string) ([]T, error) {
		var all []T
		for part := range strings.SplitSeq(value, ",") {
			one, err := read(strings.TrimSpace(part))
			if err != nil {
				return nil, fmt.Errorf("(entry %d) %w", len(all)+1, err)
			}
			all = append(all, one)
		}
		return all, nil
	}
}

func hostPort(value string) (string, error) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", errors.New("must be host:port, such as 127.0.0.1:8080")
	}
	return value, nil
}

// webURL reads an absolute address of a web site and drops the slash at its end.
func webURL(value string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must be an address such as https://clinic.example, without credentials, query or fragment")
	}
	return strings.TrimRight(value, "/"), nil
}

// storageURL reads the address of an object storage.
func storageURL(value string) (Secret, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "mem" && (u.Scheme != "file" || u.Path == "") && (u.Scheme != "s3" || u.Host == "") {
		return Secret{}, errors.New("must be file:///path, s3://bucket?region=... or mem://")
	}
	return newSecretURL(value), nil
}

// origin reads an exact web origin as a browser writes it. Plain HTTP is for this machine alone: anybody on the way could speak for
// any other such origin.
func origin(value string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || value != strings.ToLower(u.Scheme+"://"+u.Host) || strings.Contains(value, "*") {
		return "", errors.New("must be an exact origin such as https://app.clinic.example, in lower case, without path or wildcard")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", errors.New("must be an https origin; http is for localhost alone")
	}
	return value, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func network(value string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(value); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(value)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("must be an address or a CIDR range, such as 10.0.0.0/8")
	}
	return prefix.Masked(), nil
}

func isPostgres(value string) bool {
	return strings.HasPrefix(value, "postgres://") || strings.HasPrefix(value, "postgresql://")
}

func databaseURL(value string) (Secret, error) {
	_, err := url.Parse(value)
	switch {
	case isPostgres(value) && err != nil, !isPostgres(value) && strings.Contains(value, "://"):
		return Secret{}, errors.New("must be postgres://user:password@host/name, or the path of an SQLite database")
	case isPostgres(value):
		return newSecretURL(value), nil
	}
	s := NewSecret(value)
	s.shown = value // a path
	return s, nil
}

func smtpURL(value string) (Secret, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
		return Secret{}, errors.New("must be smtp://user:password@host:port or smtps://user:password@host:port")
	}
	return newSecretURL(value), nil
}

// secretWith reads a secret that begins with one of the prefixes, so that one in another's place is noticed at the start.
func secretWith(prefixes ...string) func(string) (Secret, error) {
	return func(value string) (Secret, error) {
		for _, p := range prefixes {
			if len(value) > len(p) && strings.HasPrefix(value, p) && !strings.ContainsAny(value, " \t\r\n") {
				return NewSecret(value), nil
			}
		}
		return Secret{}, errors.New("must begin with " + strings.Join(prefixes, " or "))
	}
}

// apiURL reads the address of a service that gets a secret with every request: plain HTTP is for this machine alone.
func apiURL(value string) (string, error) {
	text, err := webURL(value)
	if u, parseErr := url.Parse(value); err == nil && parseErr == nil && u.Scheme != "https" && !isLoopback(u.Hostname()) {
		err = errors.New("must be an https address; http is for localhost alone")
	}
	return text, err
}

func smsURL(value string) (Secret, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) || u.Hostname() == "" || u.User == nil || u.Query().Get("from") == "" {
		return Secret{}, errors.New("must be https://ACCOUNT:TOKEN@host/path?from=NUMBER; http is for localhost alone")
	}
	return newSecretURL(value), nil
}

func zone(value string) (*time.Location, error) {
	loc, err := civil.LoadZone(value)
	if err != nil {
		return nil, errors.New("must be an IANA time zone, such as Australia/Sydney")
	}
	return loc, nil
}

func currencyCode(value string) (string, error) {
	if _, err := money.Parse("0", value); err != nil {
		return "", errors.New("must be an ISO 4217 code, such as AUD")
	}
	return value, nil
}

// fee reads an amount above zero: a visit that costs nothing could never be paid.
func fee(field func(*Config) *money.Amount) func(*Config, string) error {
	return amount(field, 1, "above zero")
}

// noneOrMore reads an amount that may be zero.
func noneOrMore(field func(*Config) *money.Amount) func(*Config, string) error {
	return amount(field, 0, "not below zero")
}

// amount reads an amount in the practice's currency, which stands before it in the table. Without one there is a problem already.
func amount(field func(*Config) *money.Amount, least int64, bound string) func(*Config, string) error {
	return func(c *Config, value string) error {
		if c.PracticeCurrency == "" {
			return nil
		}
		return into(field, func(value string) (money.Amount, error) {
			sum, err := money.Parse(value, c.PracticeCurrency)
			if err != nil || sum.Minor < least {
				return money.Amount{}, fmt.Errorf("must be an amount in %s %s", c.PracticeCurrency, bound)
			}
			return sum, nil
		})(c, value)
	}
}
