package httpserver

import (
	"context"
	"net/http"
)

// SessionCookie is the name of the cookie that holds a session's access token.
const SessionCookie = "caregraph_session"

// SetSessionCookie has the answer to the request that ctx belongs to set the session cookie, which ends with the browser and cannot be
// read by scripts. It returns false when it cannot: over a websocket, after the answer has begun, or with a token that fits no cookie.
func SetSessionCookie(ctx context.Context, token string) bool { return setCookie(ctx, token, 0) }

// ClearSessionCookie has the answer remove the session cookie. It returns false when it cannot, as SetSessionCookie does.
func ClearSessionCookie(ctx context.Context) bool { return setCookie(ctx, "", -1) }

func setCookie(ctx context.Context, token string, maxAge int) bool {
	c := callOf(ctx)
	cookie := &http.Cookie{ //nolint:gosec // Secure follows the connection: without TLS a browser would drop the cookie
		Name:     SessionCookie,
		Value:    token,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   c.secure,
	}
	return c.w != nil && cookie.Valid() == nil && c.w.setCookie(cookie)
}
