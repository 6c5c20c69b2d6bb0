package app_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/testkit"
	"github.com/caregraph/caregraph/internal/testkit/instances"
	"github.com/caregraph/caregraph/internal/testkit/wsclient"
)

const appOrigin = "https://app.clinic.test"

// TestSockets_OriginsAndCookies: a browser's socket needs an origin of the list, and may use the cookie then.
func TestSockets_OriginsAndCookies(t *testing.T) {
	t.Parallel()
	i := instances.Start(t, testkit.SQLite, 1, instances.Options{Settings: map[string]string{"CORS_ORIGINS": appOrigin}})[0]
	alice := testkit.Patient(t, i.DB)
	signedIn := i.Client(t).Do(t, `mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }`,
		map[string]any{"input": map[string]any{"email": alice.Email, "password": testkit.Password, "useCookie": true}}).NoErrors(t)
	cookies := (&http.Response{Header: signedIn.Header}).Cookies()
	require.Len(t, cookies, 1)
	cookie := cookies[0].Name + "=" + cookies[0].Value
	open := func(origin, cookie, token string) (*wsclient.Conn, error) {
		header := http.Header{}
		for name, value := range map[string]string{"Origin": origin, "Cookie": cookie} {
			if value != "" {
				header.Set(name, value)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
		defer cancel()
		conn, err := wsclient.Dial(ctx, i.URL, wsclient.Options{Token: token, Header: header})
		if err == nil {
			t.Cleanup(conn.Drop)
		}
		return conn, err
	}
	for _, origin := range []string{"https://evil.test", "null", appOrigin + ".evil.test", strings.ToUpper(appOrigin) + ":8443", "http://app.clinic.test"} {
		for _, token := range []string{"", signedIn.Text("login.accessToken")} {
			_, err := open(origin, cookie, token)
			var refused *wsclient.Refused
			require.True(t, errors.As(err, &refused), "%s: %v", origin, err)
			require.Equal(t, http.StatusForbidden, refused.Status, origin)
		}
	}
	viewer := func(c *wsclient.Conn) string {
		a, err := c.Do(t.Context(), `{ viewer { email } }`, nil)
		require.NoError(t, err)
		return a.Text("viewer.email")
	}
	for _, origin := range []string{appOrigin, i.URL} {
		c, err := open(origin, cookie, "")
		require.NoError(t, err, origin)
		require.Equal(t, alice.Email, viewer(c), origin)
	}
	c, err := open(appOrigin, "", "")
	require.NoError(t, err)
	require.Empty(t, viewer(c), "nobody is signed in without the cookie")
	c, err = open("", "", signedIn.Text("login.accessToken"))
	require.NoError(t, err)
	require.Equal(t, alice.Email, viewer(c), "a program that is no browser sends no origin")
}
