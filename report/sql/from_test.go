package sql

import (
	"strings"
	"testing"
)

func TestCheckTable(t *testing.T) {
	for _, table := range []string{
		"flows", "hive.vpc.flow_logs", "logs/*.parquet", `hive."my-db"."flow""logs"`, "'a.parquet'", "read_parquet('a b;--.parquet')",
		"(SELECT * FROM vpc.flow_logs WHERE day = '2026/05/14')", "(with a as (select 1) select * from a)", `( SELECT ")" FROM t )`,
	} {
		if err := CheckTable(table); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
	for table, want := range map[string]string{
		`"x" WHERE 1 = 1`:                       "more than one name",
		`"x"; DROP TABLE y`:                     `has ';' outside`,
		`"x" --`:                                "more than one name",
		`"x`:                                    "not closed",
		`'x`:                                    "not closed",
		"(SELECT * FROM t":                      "not closed",
		"(SELECT * FROM t) UNION (SELECT 1)":    "not one query",
		"(SELECT 1))":                           "not one query",
		"(SELECT 1 /* )":                        `has '/' outside`,
		"(SELECT 1 -- )\n)":                     `has '-' outside`,
		"(SELECT 1; DELETE FROM t)":             `has ';' outside`,
		"(DELETE FROM t RETURNING *)":           "does not begin with SELECT",
		"f('x') CROSS JOIN g('y')":              "not one query",
		"(SELECT $$)$$)":                        `has '$' outside`,
		"flows(1), (SELECT password FROM user)": "not one query",
	} {
		if err := CheckTable(table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", table, err, want)
		}
	}
}
