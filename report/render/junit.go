package render

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"

	"flowlog/report/check"
)

// junitFindings writes JUnit XML in the form that CI systems read: each rule is a test case, which fails if it has
// findings that fail the run. Other findings are its output.
func junitFindings(w io.Writer, c Checked, opt Options) error {
	failures, skipped := 0, 0
	for _, v := range c.Verdicts {
		switch {
		case v.Skipped != "":
			skipped++
		case v.Fired() > 0 && v.Severity >= c.FailOn:
			failures++
		}
	}
	var buf bytes.Buffer
	counts := fmt.Sprintf(`tests="%d" failures="%d" errors="0" skipped="%d"`, len(c.Verdicts), failures, skipped)
	fmt.Fprintf(&buf, "%s<testsuites name=\"flowlog check\" %s>\n  <testsuite name=\"%s\" %s>\n", xml.Header, counts, xmlText(c.File), counts)
	for i := range c.Verdicts {
		v := &c.Verdicts[i]
		fmt.Fprintf(&buf, "    <testcase classname=\"flowlog.check\" name=\"%s\"", xmlText(v.Name))
		switch {
		case v.Skipped != "":
			fmt.Fprintf(&buf, ">\n      <skipped message=\"%s\"></skipped>\n    </testcase>\n", xmlText(v.Skipped))
			continue
		case v.Fired() == 0:
			buf.WriteString("></testcase>\n")
			continue
		case v.Severity >= c.FailOn:
			fmt.Fprintf(&buf, ">\n      <failure type=\"%s\" message=\"%s\">", v.Severity, xmlText(fmt.Sprintf("%s: %d", cmp.Or(v.Doc, v.Name), v.Fired())))
			junitLines(&buf, v, opt)
			buf.WriteString("</failure>\n")
		default:
			buf.WriteString(">\n      <system-out>")
			junitLines(&buf, v, opt)
			buf.WriteString("</system-out>\n")
		}
		buf.WriteString("    </testcase>\n")
	}
	buf.WriteString("  </testsuite>\n</testsuites>\n")
	_, err := w.Write(buf.Bytes())
	return err
}

// junitLines writes the findings of a rule, one to a line.
func junitLines(buf *bytes.Buffer, v *check.Verdict, opt Options) {
	for i := range v.Findings {
		if i > 0 {
			buf.WriteByte('\n')
		}
		buf.WriteString(xmlText(v.Findings[i].Expand(valueOf(opt))))
	}
	if v.More > 0 {
		fmt.Fprintf(buf, "\n%d more", v.More)
	}
}

// xmlText escapes a text for XML elements and attributes, and makes it printable.
func xmlText(s string) string {
	var buf bytes.Buffer
	_ = xml.EscapeText(&buf, appendPrintable(nil, s)) // a buffer never fails
	return buf.String()
}
