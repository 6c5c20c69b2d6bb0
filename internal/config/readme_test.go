package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/internal/config"
)

// TestREADME_DocumentsEverySetting: the table in the README is the table of the code.
func TestREADME_DocumentsEverySetting(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| setting | default | meaning |\n|---|---|---|\n")
	for _, row := range config.Table() {
		shown := ""
		if row.Default != "" {
			shown = "`" + row.Default + "`"
			if strings.Contains(row.Default, " ") {
				shown = row.Default
			}
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", row.Name, shown, row.Meaning)
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), table.String())
}
