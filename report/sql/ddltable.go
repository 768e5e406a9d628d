package sql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flowlog/report/expr"
)

// athenaTable is a table of Glue's. LazySimpleSerDe reads a number that is none, such as -, as null; so also a header
// between records is a row that is no flow, since its log_status is log-status.
func athenaTable(s *stored) string {
	next := s.questions()
	if !s.projected && len(s.partitions) > 0 {
		next = slices.Insert(next, 0, "Next, and whenever there are new folders: MSCK REPAIR TABLE "+dotted(backtick, s.Table))
	}
	var b strings.Builder
	b.WriteString(s.comments(next...))
	fmt.Fprintf(&b, "CREATE EXTERNAL TABLE IF NOT EXISTS %s %s\n", dotted(backtick, s.Table), list(s.columns(backtick, hiveTypes)))
	var properties []string
	set := func(name, value string) { properties = append(properties, expr.Quote(name)+" = "+hiveText(value)) }
	if len(s.partitions) > 0 {
		var columns []string
		for _, p := range s.partitions {
			columns = append(columns, backtick(p.name)+" "+hiveTypes.of(p))
		}
		fmt.Fprintf(&b, "PARTITIONED BY (%s)\n", strings.Join(columns, ", "))
	}
	if s.format.text {
		b.WriteString("ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'\nSTORED AS TEXTFILE\n")
		set("skip.header.line.count", "1")
	} else {
		b.WriteString("STORED AS PARQUET\n")
	}
	if s.projected {
		set("projection.enabled", "true")
		for _, p := range s.partitions {
			prefix := "projection." + p.name + "."
			switch {
			case len(p.values) > 0:
				set(prefix+"type", "enum")
				set(prefix+"values", strings.Join(p.values, ","))
				continue
			case p.lo == "":
				set(prefix+"type", "injected")
				continue
			case p.date != nil:
				set(prefix+"type", "date")
				set(prefix+"format", p.date.java)
				if p.date.hours {
					set(prefix+"interval", "1")
					set(prefix+"interval.unit", "HOURS")
				}
			default:
				set(prefix+"type", "integer")
			}
			set(prefix+"range", p.lo+","+p.hi)
			if p.digits > 0 {
				set(prefix+"digits", strconv.Itoa(p.digits))
			}
		}
		set("storage.location.template", s.base+s.folders)
	}
	fmt.Fprintf(&b, "LOCATION %s\n", expr.Quote(s.base))
	if len(properties) > 0 {
		fmt.Fprintf(&b, "TBLPROPERTIES %s\n", list(properties))
	}
	return b.String()
}

// trinoTable is a table of the Hive connector. What it calls CSV has texts alone; its TEXTFILE reads numbers as
// LazySimpleSerDe does.
func trinoTable(s *stored) string {
	var before []string
	switch {
	case s.projected:
		before = []string{"The catalog is one of the Hive connector, with hive.partition-projection-enabled=true."}
		if !strings.HasPrefix(s.base, "s3") { // where a folder without files is none
			before[0] += " Folders that are missing need hive.ignore-absent-partitions=true."
		}
	case len(s.partitions) > 0:
		parts := strings.Split(s.Table, ".")
		catalog, schemaName := "", "'…'"
		if n := len(parts); n > 1 {
			schemaName = expr.Quote(parts[n-2])
			if n > 2 {
				catalog = doubleQuote(parts[0]) + "."
			}
		}
		before = []string{"The catalog is one of the Hive connector.",
			fmt.Sprintf("Next, and whenever there are new folders: CALL %ssystem.sync_partition_metadata(schema_name => %s, table_name => %s, mode => 'FULL')",
				catalog, schemaName, expr.Quote(parts[len(parts)-1]))}
	default:
		before = []string{"The catalog is one of the Hive connector, with hive.recursive-directories=true if there are folders."}
	}
	columns := s.columns(doubleQuote, trinoTypes)
	var properties, names []string
	set := func(name, value string) { properties = append(properties, name+" = "+value) }
	texts := func(values ...string) string {
		var list []string
		for _, v := range values {
			list = append(list, expr.Quote(v))
		}
		return "ARRAY[" + strings.Join(list, ", ") + "]"
	}
	for _, p := range s.partitions {
		column := doubleQuote(p.name) + " " + trinoTypes.of(p)
		names = append(names, p.name)
		if s.projected {
			var of []string
			switch {
			case len(p.values) > 0:
				of = []string{"type = 'ENUM'", "values = " + texts(p.values...)}
			case p.lo == "":
				of = []string{"type = 'INJECTED'"}
			case p.date != nil:
				of = []string{"type = 'DATE'", "format = " + expr.Quote(p.date.java), "range = " + texts(p.lo, p.hi)}
				if p.date.hours {
					of = append(of, "interval = 1", "interval_unit = 'HOURS'")
				}
			default:
				of = []string{"type = 'INTEGER'", "range = " + texts(p.lo, p.hi)}
			}
			if p.digits > 0 {
				of = append(of, "digits = "+strconv.Itoa(p.digits))
			}
			column += " WITH (partition_projection_" + strings.Join(of, ", partition_projection_") + ")"
		}
		columns = append(columns, column)
	}
	set("external_location", expr.Quote(s.base))
	if s.format.text {
		set("format", "'TEXTFILE'")
		set("textfile_field_separator", "' '")
		set("null_format", "'-'")
		set("skip_header_line_count", "1")
	} else {
		set("format", "'PARQUET'")
	}
	if len(names) > 0 {
		set("partitioned_by", texts(names...))
	}
	if s.projected {
		set("partition_projection_enabled", "true")
		set("partition_projection_location_template", expr.Quote(s.base+s.folders))
	}
	return s.comments(slices.Concat(before, s.questions())...) +
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s %s\nWITH %s\n", dotted(doubleQuote, s.Table), list(columns), list(properties))
}

// duckView is a view, since DuckDB reads files by their names. Lines that do not fit are left out, as flowlog leaves
// them out.
func duckView(s *stored) string {
	// A glob must match something, so alternatives are none: they are conditions on the names of the files.
	glob := s.folders
	var where []sqlNode
	for _, p := range s.partitions {
		value := "*"
		switch {
		case p.date != nil && p.date.glob != "":
			value = p.date.glob
		case len(p.values) == 1:
			value = p.values[0]
		case len(p.values) > 1:
			before, _, _ := strings.Cut(s.folders, "${"+p.name+"}")
			before = before[strings.LastIndexByte(before, '/')+1:]
			folder := "/" + before + "(" + strings.Join(p.values, "|") + ")/"
			where = append(where, sqlCall("regexp_matches", identNode("filename"), textNode(folder)))
		}
		glob = strings.ReplaceAll(glob, "${"+p.name+"}", value)
	}
	end := map[bool]string{true: "*.log*", false: "*.parquet"}[s.format.text]
	if s.folders == "" {
		end = "**/" + end
	}
	columns, condition := "*", ""
	if where != nil {
		columns += " EXCLUDE (filename)"
		condition = "WHERE " + s.print(sqlAnd(where...)) + "\n"
	}
	if s.noStatus {
		columns += ", CAST(NULL AS VARCHAR) AS log_status"
	}
	var options []string
	if s.format.text {
		var fields []string
		for _, f := range s.Fields {
			fields = append(fields, expr.Quote(f.Name)+": "+expr.Quote(duckTypes[f.Kind]))
		}
		options = []string{"columns = {\n    " + strings.Join(fields, ",\n    ") + "\n  }", "auto_detect = false", "header = true", "delim = ' '", "quote = ''", "escape = ''", "nullstr = '-'", "ignore_errors = true"}
	}
	hive := s.format.ours && len(s.partitions) > 0
	if hive {
		var keys []string
		for _, p := range s.partitions {
			keys = append(keys, s.name(p.name)+": "+strings.ToUpper(duckTypes.of(p)))
		}
		options = append(options, "hive_types = {"+strings.Join(keys, ", ")+"}")
	}
	options = append(options, fmt.Sprintf("hive_partitioning = %t", hive))
	if s.format.ours {
		options = append(options, "union_by_name = true") // files of later commits can have more columns
	}
	if where != nil {
		options = append(options, "filename = true")
	}
	function := map[bool]string{true: "read_csv", false: "read_parquet"}[s.format.text]
	plain := *s
	if !hive {
		plain.partitions = nil
	}
	return plain.comments(plain.questions()...) +
		fmt.Sprintf("CREATE OR REPLACE VIEW %s AS\nSELECT %s FROM %s(\n  %s,\n  %s\n)\n%s", dotted(doubleQuote, s.Table), columns, function, expr.Quote(s.base+glob+end), strings.Join(options, ",\n  "), condition)
}
