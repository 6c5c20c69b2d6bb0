package onetime_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/caregraph/caregraph/internal/onetime"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		code := onetime.New()
		assert.Regexp(t, `^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$`, code)
		assert.False(t, seen[code], "80 random bits do not come twice")
		seen[code] = true
		for _, typed := range []string{strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ") + "\n"} {
			assert.Equal(t, onetime.Hash(code), onetime.Hash(typed))
		}
	}
	assert.NotEqual(t, onetime.Hash("AAAA-AAAA-AAAA-AAAA"), onetime.Hash("AAAA-AAAA-AAAA-AAAB"))
	assert.Len(t, onetime.Hash(""), 64)
}
