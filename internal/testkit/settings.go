package testkit

// Settings are those with which tests run the whole program: several instances accept each other's tokens, also after a restart, and no limit is in the way.
func Settings() map[string]string {
	return map[string]string{
		"ENVIRONMENT": "development", "MIGRATE": "auto", "JWT_KEYS": "test:HS256:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
		"API_REQUESTS_PER_MINUTE": "1000000", "PATIENT_SUSPICIOUS_REQUESTS": "1000000", "LOGIN_ATTEMPTS_PER_MINUTE": "10000", "STORAGE_URL": "mem://",
	}
}
