package config_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/config"
	"github.com/caregraph/caregraph/internal/identifier"
	"github.com/caregraph/caregraph/internal/money"
)

const goodKey = "4mU8zQ1xT7vK2nB9cR5wY3dF6gH0jL-aSpEo"

// load loads the settings as a production start with these variables in its environment does.
func load(t *testing.T, environ ...string) (config.Config, error) {
	t.Helper()
	return config.Load(config.Sources{Environ: append([]string{"JWT_KEYS=" + goodKey, "PATH=/bin"}, environ...)})
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "caregraph.env")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestLoad_Defaults(t *testing.T) {
	t.Parallel()
	c, err := load(t)
	require.NoError(t, err)
	require.Equal(t, config.Production, c.Environment)
	require.Equal(t, "127.0.0.1:8080", c.Listen)
	require.Equal(t, "caregraph.db", c.DatabaseURL.Reveal())
	require.True(t, c.IsAutoMigrate)
	require.False(t, c.IsPostgres())
	require.Equal(t, slog.LevelInfo, c.LogLevel)
	require.Equal(t, "Australia/Brisbane", c.PracticeZone.String())
	require.Equal(t, money.Amount{Minor: 8000, Currency: "AUD"}, c.NewPatientFee)
	require.Equal(t, money.Amount{Minor: 5000, Currency: "AUD"}, c.ReturningPatientFee)
	require.Equal(t, money.Amount{Currency: "AUD"}, c.AdmissionFee)
	require.Equal(t, identifier.Strict, c.IdentifierChecks)
	require.False(t, c.IsAuditStrict)
	require.Equal(t, 20*time.Minute, c.PatientSessionTimeout)
	require.Equal(t, 20*time.Minute, c.StaffSessionTimeout)
	require.Equal(t, 5*time.Minute, c.SessionTimeoutWarning)
	require.Equal(t, config.Limits{
		BodyBytes: 1 << 20, QueryTokens: 5000, QueryDepth: 12, QueryAliases: 30, QueryRootFields: 20, QueryCost: 20000,
		OperationTimeout: 10 * time.Second, APIRequestsPerMinute: 100, Sockets: 20000, OperationsPerSocket: 100, LoginAttemptsPerMinute: 5,
		RegistrationsPerHour: 10, VerificationsPerMinute: 10, ResetMailsPerHour: 3, PatientSuspiciousRequests: 300, BookingsPerHour: 3,
	}, c.Limits)
	require.Empty(t, c.PublicURL)
	require.Empty(t, c.CORSOrigins)
	require.Empty(t, c.TrustedProxies)
	require.True(t, c.SMTPURL.IsZero())
	require.True(t, c.SandboxSecret.IsZero())
}

func TestLoad_Values(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		environ []string
		get     func(config.Config) any
		want    any
	}{
		"a list of origins":          {[]string{"CORS_ORIGINS=https://a.example, http://localhost:5173"}, func(c config.Config) any { return c.CORSOrigins }, []string{"https://a.example", "http://localhost:5173"}},
		"loopback may be plain HTTP": {[]string{"CORS_ORIGINS=http://127.0.0.1:3000,http://[::1]:3000"}, func(c config.Config) any { return len(c.CORSOrigins) }, 2},
		"proxies by range and address": {[]string{"TRUSTED_PROXIES=10.1.2.3/8,192.0.2.1,::1"}, func(c config.Config) any { return c.TrustedProxies },
			[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("::1/128")}},
		"seconds":                        {[]string{"STAFF_SESSION_TIMEOUT=900"}, func(c config.Config) any { return c.StaffSessionTimeout }, 15 * time.Minute},
		"a duration":                     {[]string{"STAFF_SESSION_TIMEOUT=15m"}, func(c config.Config) any { return c.StaffSessionTimeout }, 15 * time.Minute},
		"a free port on all interfaces":  {[]string{"LISTEN=:0"}, func(c config.Config) any { return c.Listen }, ":0"},
		"the slash of the public URL":    {[]string{"PUBLIC_URL=https://clinic.example/care/"}, func(c config.Config) any { return c.PublicURL }, "https://clinic.example/care"},
		"fees follow the currency":       {[]string{"PRACTICE_CURRENCY=JPY", "NEW_PATIENT_FEE=8000", "RETURNING_PATIENT_FEE=5000"}, func(c config.Config) any { return c.NewPatientFee }, money.Amount{Minor: 8000, Currency: "JPY"}},
		"no admission is free of it":     {[]string{"ADMISSION_FEE=12.50"}, func(c config.Config) any { return c.AdmissionFee }, money.Amount{Minor: 1250, Currency: "AUD"}},
		"PostgreSQL migrates by command": {[]string{"DATABASE_URL=postgres://u@h/d"}, func(c config.Config) any { return c.IsAutoMigrate }, false},
		"PostgreSQL migrates when told":  {[]string{"DATABASE_URL=postgresql://u@h/d", "MIGRATE=auto"}, func(c config.Config) any { return c.IsAutoMigrate }, true},
		"SQLite does not when told":      {[]string{"MIGRATE=manual"}, func(c config.Config) any { return c.IsAutoMigrate }, false},
		"strict audit":                   {[]string{"AUDIT_READS=strict"}, func(c config.Config) any { return c.IsAuditStrict }, true},
		"lenient identifiers":            {[]string{"IDENTIFIER_CHECKS=lenient"}, func(c config.Config) any { return c.IdentifierChecks }, identifier.Lenient},
		"log level":                      {[]string{"LOG_LEVEL=debug"}, func(c config.Config) any { return c.LogLevel }, slog.LevelDebug},
		"an empty value is none":         {[]string{"LISTEN=", "CORS_ORIGINS="}, func(c config.Config) any { return c.Listen }, "127.0.0.1:8080"},
		"the prefixed name wins":         {[]string{"CAREGRAPH_LISTEN=:1", "LISTEN=:2"}, func(c config.Config) any { return c.Listen }, ":1"},
		"others' variables are ignored": {[]string{"LISTNE=:1", "CAREGRAPH_SERVICE_HOST=10.0.0.1", "CAREGRAPH_PORT_8080_TCP_ADDR=10.0.0.1",
			"CAREGRAPH_PORT=tcp://10.0.0.1", "CAREGRAPH_LONG=1"}, func(c config.Config) any { return c.Listen }, "127.0.0.1:8080"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, tc.environ...)
			require.NoError(t, err)
			require.Equal(t, tc.want, tc.get(c))
		})
	}
}

func TestLoad_Precedence(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "LISTEN=:1\nLOG_LEVEL=warn\nPRACTICE_NAME=Filed\nJWT_KEYS="+goodKey+"\n")
	c, err := config.Load(config.Sources{
		File:    path,
		Environ: []string{"LISTEN=:2", "LOG_LEVEL=error", "CAREGRAPH_LISTEN=:3"},
		Flags:   map[string]string{"LISTEN": ":4", "LOG_LEVEL": ""},
	})
	require.NoError(t, err)
	require.Equal(t, ":4", c.Listen, "the flag")
	require.Equal(t, slog.LevelError, c.LogLevel, "the environment, because the flag is empty")
	require.Equal(t, "Filed", c.PracticeName, "the file")
	require.Equal(t, "AUD", c.PracticeCurrency, "the default")
}

func TestLoad_Refuses(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{ // the variable -> bad values
		"ENVIRONMENT":             {"prod", "Production"},
		"LISTEN":                  {"8080", "localhost", "localhost:http", "localhost:70000", "a:b:1"},
		"PUBLIC_URL":              {"clinic.example", "ftp://clinic.example", "https://", "https://u:p@clinic.example", "https://clinic.example?x", "%"},
		"DATABASE_URL":            {"mysql://u@h/d", "postgres://h:x y/d%"},
		"MIGRATE":                 {"yes"},
		"STORAGE_URL":             {"ftp://host/files", "file://", "s3://", "files"},
		"CORS_ORIGINS":            {"*", "https://*.example.com", "https://a.example/", "https://a.example/path", "a.example", "http://a.example", "https://A.example", "null", "https://a.example,,https://b.example"},
		"TRUSTED_PROXIES":         {"10.0.0.0/33", "proxy", "10.0.0.1,", "::ffff:10.0.0.0/104"},
		"SMTP_URL":                {"mail.example:25", "http://mail.example", "smtp://"},
		"LOG_LEVEL":               {"INFO", "info+2", "verbose"},
		"PRACTICE_TIMEZONE":       {"Brisbane", "Local", "../etc/passwd"},
		"PRACTICE_CURRENCY":       {"aud", "XXX1", "AUDD"},
		"NEW_PATIENT_FEE":         {"-1.00", "80.001", "80,00", "free"},
		"RETURNING_PATIENT_FEE":   {"-0.01", "0", "0.00"},
		"ADMISSION_FEE":           {"-0.01", "0.001", "none"},
		"IDENTIFIER_CHECKS":       {"off"},
		"AUDIT_READS":             {"none"},
		"PATIENT_SESSION_TIMEOUT": {"0", "-5", "abc", "59", "25h", "1e3"},
		"SESSION_TIMEOUT_WARNING": {"0", "1200", "1201"},
		"MAX_BODY_BYTES":          {"0", "1MiB", "99999999999"},
		"QUERY_MAX_DEPTH":         {"0", "-1", "1.5"},
		"OPERATION_TIMEOUT":       {"0", "1ms", "2h"},
		"API_REQUESTS_PER_MINUTE": {"0", "99999999999999999999"},
		"MAX_SOCKETS":             {"0", "many"},
		"BOOKINGS_PER_HOUR":       {"none"},
		"JWT_KEYS":                {"short", strings.Repeat("a", 64), "please-changeme-1234567890-abcdefgh"},
		"TOTP_KEYS":               {"short", strings.Repeat("a", 64), "please-changeme-1234567890-abcdefgh"},
		"REQUIRE_STAFF_TOTP":      {"yes", "true"}, // the latter lacks TOTP_KEYS
		"PAYMENT_SANDBOX_SECRET":  {"my-super-secret-key-of-the-sandbox-1"},
		"TLS_CERT":                {"cert.pem"},
		"TLS_KEY":                 {"key.pem"},
	}
	for name, values := range cases {
		for _, value := range values {
			t.Run(name+"="+value, func(t *testing.T) {
				t.Parallel()
				_, err := load(t, name+"="+value)
				require.ErrorContains(t, err, name)
			})
		}
	}
}

// A secret put in the wrong place is not told to whoever reads the log.
func TestLoad_NoProblemRepeatsAValue(t *testing.T) {
	t.Parallel()
	for _, row := range config.Table() {
		_, err := load(t, row.Name+"=p4ssw0rd://%zz,p4ssw0rd")
		if err != nil {
			require.NotContains(t, err.Error(), "p4ssw0rd", row.Name)
		}
	}
}

func TestLoad_AllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "LISTEN=nowhere\nLISTNE=:1\n\nNONSENSE\nLOG_LEVEL=loud\nLOG_LEVEL=info\n")
	c, err := config.Load(config.Sources{
		File:    path,
		Environ: []string{"NEW_PATIENT_FEE=free", "CAREGRAPH_LISTNE=:1", "TLS_KEY=k", "CAREGRAPH_MIGRATE=perhaps"},
		Flags:   map[string]string{"COLOUR": "red"},
	})
	require.Zero(t, c)
	require.Error(t, err)
	want := []string{
		"LISTNE is not a setting (" + path + ", line 2)",
		"a line must be NAME=value (" + path + ", line 4)",
		"LOG_LEVEL is given twice (" + path + ", line 6)",
		"CAREGRAPH_LISTNE is not a setting (environment)",
		"COLOUR is not a setting (flag)",
		"LISTEN must be host:port, such as 127.0.0.1:8080 (" + path + ", line 1)",
		"MIGRATE must be one of auto, manual (environment, CAREGRAPH_MIGRATE)",
		"LOG_LEVEL must be one of debug, info, warn, error (" + path + ", line 5)",
		"NEW_PATIENT_FEE must be an amount in AUD above zero (environment)",
		"TLS_CERT and TLS_KEY go together: give both or none",
		"JWT_KEYS is needed in production",
	}
	require.Equal(t, want, strings.Split(err.Error(), "\n"))
}

func TestLoad_OneProblemIsToldOnce(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"PRACTICE_CURRENCY=none":     "PRACTICE_CURRENCY must be an ISO 4217 code, such as AUD (environment)",
		"PATIENT_SESSION_TIMEOUT=no": "PATIENT_SESSION_TIMEOUT must be a number of seconds, or a duration such as 90s or 20m, from 1m0s to 24h0m0s (environment)",
		"PRACTICE_CURRENCY=JPY": "NEW_PATIENT_FEE must be an amount in JPY above zero (default)\n" +
			"RETURNING_PATIENT_FEE must be an amount in JPY above zero (default)",
	} {
		_, err := load(t, variable)
		require.EqualError(t, err, want)
	}
}

func TestLoad_File(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "\ufeff# the clinic\r\n  PRACTICE_NAME = \"Sea = View\" \r\n\r\nPRACTICE_TIMEZONE='Australia/Perth'\nPUBLIC_URL=\n"+
		"JWT_KEYS="+goodKey+"==")
	c, err := config.Load(config.Sources{File: path})
	require.NoError(t, err)
	require.Equal(t, "Sea = View", c.PracticeName)
	require.Equal(t, "Australia/Perth", c.PracticeZone.String())
	require.Equal(t, goodKey+"==", c.JWTKeys.Reveal())

	_, err = config.Load(config.Sources{File: filepath.Join(t.TempDir(), "none.env"), Environ: []string{"JWT_KEYS=" + goodKey}})
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = config.Load(config.Sources{File: writeFile(t, "JWT_KEYS="+goodKey+"\n"+strings.ToLower(goodKey)+"==\n")})
	require.ErrorContains(t, err, "line 2")
	require.NotContains(t, err.Error(), strings.ToLower(goodKey), "the rest of a broken secret is not shown")
}

func TestLoad_SecretsAreOnlyChecked_InProduction(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"demo", "development"} {
		_, err := config.Load(config.Sources{Flags: map[string]string{"ENVIRONMENT": environment}, Environ: []string{"PAYMENT_SANDBOX_SECRET=secret"}})
		require.NoError(t, err)
	}
	_, err := config.Load(config.Sources{})
	require.EqualError(t, err, "JWT_KEYS is needed in production")
}

// Every row has a name and a meaning, no name twice, and every default is a value that the setting takes.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range config.Table() {
		require.Regexp(t, `^[A-Z][A-Z0-9_]+$`, row.Name)
		require.False(t, seen[row.Name], row.Name)
		seen[row.Name] = true
		require.Regexp(t, `\.$`, row.Meaning, row.Name)
		if row.Default == "" || row.Name == "MIGRATE" || row.Name == "STORAGE_URL" {
			continue
		}
		_, err := load(t, row.Name+"="+row.Default)
		require.NoError(t, err)
	}
}
