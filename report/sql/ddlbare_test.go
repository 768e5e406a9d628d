package sql

import (
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
)

// Say, Ask and Help are for people: a statement does without them.
func TestDDLAlone(t *testing.T) {
	for _, d := range Dialects() {
		for _, l := range Layouts() {
			table := StoredTable{
				Table: "flows", Location: "s3://logs/", Format: "text", Layout: l.Name, Fields: schema.Logged()[:14],
				Accounts: []string{"123456789012"}, Regions: []string{"eu-west-1"}, Since: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
			}
			ddl, err := table.DDL(d)
			if err == nil && !strings.Contains(ddl, "CREATE ") {
				t.Errorf("%s, %s: got %s", d.Name, l.Name, ddl)
			}
		}
	}
}
