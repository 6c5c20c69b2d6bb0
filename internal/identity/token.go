package identity

import (
	"cmp"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/access"
	"github.com/caregraph/caregraph/internal/fault"
)

const (
	defaultIssuer   = "caregraph"
	defaultAudience = "caregraph-api"
	maxToken        = 4096 // bytes
)

// claims are what a token says. Roles are for clients alone: the user's row decides.
type claims struct {
	jwt.RegisteredClaims
	SessionID uuid.UUID     `json:"sid"`
	Roles     []access.Role `json:"roles"`
}

// tokens signs and reads access tokens.
type tokens struct {
	keys             Keys
	issuer, audience string
	parser           *jwt.Parser
}

func newTokens(c Config) *tokens {
	t := &tokens{keys: c.Keys, issuer: cmp.Or(c.Issuer, defaultIssuer), audience: cmp.Or(c.Audience, defaultAudience)}
	t.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg(), jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(t.issuer), jwt.WithAudience(t.audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(c.DB.Now), jwt.WithStrictDecoding())
	return t
}

// sign makes the token of a session.
func (t *tokens) sign(s *ent.Session, roles []access.Role) (string, error) {
	token := jwt.NewWithClaims(t.keys.signing.method, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Audience: jwt.ClaimStrings{t.audience}, Subject: s.UserID.String(), ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(s.CreatedAt),
			// Tokens count whole seconds: rounded up, so that none ends before its session.
			ExpiresAt: jwt.NewNumericDate(s.EndsAt.Add(time.Second - time.Microsecond)),
		},
		SessionID: s.ID, Roles: roles,
	})
	token.Header["kid"] = t.keys.signing.id
	return token.SignedString(t.keys.signing.sign)
}

var errUnknownKey = errors.New("no such key")

// read returns the session and the user that a genuine token names. Errors: UNAUTHENTICATED, SESSION_EXPIRED.
func (t *tokens) read(token string) (sessionID, userID uuid.UUID, err error) {
	if len(token) > maxToken {
		return uuid.Nil, uuid.Nil, fault.ErrUnauthenticated
	}
	var c claims
	_, err = t.parser.ParseWithClaims(token, &c, t.keys.of)
	if errors.Is(err, jwt.ErrTokenExpired) { // the signature was right, else this had not been looked at
		return uuid.Nil, uuid.Nil, ErrSessionExpired
	}
	if err == nil {
		userID, err = uuid.Parse(c.Subject)
	}
	if err != nil {
		return uuid.Nil, uuid.Nil, fault.ErrUnauthenticated.Because(err)
	}
	return c.SessionID, userID, nil
}

// of finds the key that a token names, and refuses to use it with another algorithm than its own.
func (k Keys) of(token *jwt.Token) (any, error) {
	id, _ := token.Header["kid"].(string)
	found, ok := k.byID[id]
	if !ok || token.Method.Alg() != found.method.Alg() {
		return nil, errUnknownKey
	}
	return found.verify, nil
}
