package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// plain is a small default-format file with one record of every sort. All files in testdata/edge hold just
// these records, in shapes that are unusual but right; most in testdata/bad hold them with something broken.
const plain = `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789012 eni-0a1b2c3d4e5f60001 203.0.113.44 10.0.1.10 51544 443 6 14 5120 1778749201 1778749241 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60001 10.0.1.10 203.0.113.44 443 51544 6 22 28431 1778749201 1778749241 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60001 198.51.100.66 10.0.1.10 40112 3389 6 1 44 1778749210 1778749212 REJECT OK
2 123456789012 eni-0a1b2c3d4e5f60002 10.0.32.20 52.216.8.53 40022 443 6 291234 407727600 1778749204 1778749259 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60001 10.0.1.10 8.8.8.8 42420 53 17 2 142 1778749222 1778749222 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60001 192.0.2.7 10.0.1.10 0 0 1 4 336 1778749230 1778749233 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60003 - - - - - - - 1778749203 1778749257 - NODATA
2 123456789012 eni-0a1b2c3d4e5f60001 2001:db8:2a10:3::9 2001:db8:1200:1::a 52011 443 6 9 2210 1778749215 1778749244 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60002 - - - - - - - 1778749201 1778749258 - SKIPDATA
2 123456789012 eni-0a1b2c3d4e5f60001 198.51.100.1 10.0.1.10 0 0 47 812 640112 1778749205 1778749255 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60002 10.0.16.9 10.0.32.20 39050 5432 6 31 6012 1778749206 1778749249 ACCEPT OK
2 123456789012 eni-0a1b2c3d4e5f60002 10.0.32.20 10.0.16.9 5432 39050 6 44 51877 1778749206 1778749249 ACCEPT OK
`

// rows splits plain into its header and records, each a list of values.
func rows() (header []string, records [][]string) {
	for i, line := range strings.Split(strings.TrimSpace(plain), "\n") {
		if i == 0 {
			header = strings.Fields(line)
			continue
		}
		records = append(records, strings.Fields(line))
	}
	return header, records
}

// join writes rows with sep between values.
func join(sep string, rows ...[]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, sep) + "\n")
	}
	return b.String()
}

// edge makes testdata/edge: what is unusual, but has nothing wrong with it.
func edge(files map[string][]byte) {
	header, records := rows()
	put := func(name, text string) { files["edge/"+name] = []byte(text) }
	half := len(records) / 2

	put("plain.log", plain)
	put("crlf.log", strings.ReplaceAll(plain, "\n", "\r\n"))
	put("bom.log", "\ufeff"+plain)
	put("tabs.log", join(" ", header)+join("\t", records[:half]...)+join("  ", records[half:]...))
	put("blank-lines.log", "\n"+strings.ReplaceAll(plain, "\n", "\n\n"))
	put("no-newline.log", strings.TrimSuffix(plain, "\n"))
	put("headerless.log", join(" ", records...))
	put("underscores.log", strings.ReplaceAll(join(" ", header), "-", "_")+join(" ", records...))

	// two files in one, as cat makes them, of formats with the same number of fields
	order := []int{13, 12, 3, 4, 5, 6, 7, 9, 8, 10, 11, 2, 1, 0}
	turned := func(rows ...[]string) (out [][]string) {
		for _, row := range rows {
			to := make([]string, len(order))
			for i, from := range order {
				to[i] = row[from]
			}
			out = append(out, to)
		}
		return out
	}
	first := join(" ", header) + join(" ", records[:half]...)
	put("mid-header.log", first+join(" ", turned(header)...)+join(" ", turned(records[half:]...)...))
	files["edge/members.log.gz"] = append(gzipped([]byte(first)), gzipped([]byte(join(" ", header)+join(" ", records[half:]...)))...)

	// a field that AWS has not invented yet, and times in milliseconds, which some exports have
	unknown := join(" ", append(header[:3:3], append([]string{"future-field"}, header[3:]...)...))
	millis := join(" ", header)
	for i, r := range records {
		unknown += join(" ", append(r[:3:3], append([]string{fmt.Sprintf("v%d", i)}, r[3:]...)...))
		ms := append([]string(nil), r...)
		ms[10], ms[11] = ms[10]+"000", ms[11]+"999"
		millis += join(" ", ms)
	}
	put("unknown-field.log", unknown)
	put("milliseconds.log", millis)
}

// bad makes testdata/bad: files that are broken, empty or no flow logs at all. Where one line is broken it is
// line 4.
func bad(files map[string][]byte) {
	header, records := rows()
	put := func(name, text string) { files["bad/"+name] = []byte(text) }
	broken := func(name string, edit func(row []string) []string) {
		all := append([][]string{header}, records...)
		all[3] = edit(append([]string(nil), all[3]...))
		put(name, join(" ", all...))
	}
	value := func(column int, v string) func([]string) []string {
		return func(row []string) []string { row[column] = v; return row }
	}
	broken("few-fields.log", func(row []string) []string { return row[:9] })
	broken("many-fields.log", func(row []string) []string { return append(row, "extra") })
	broken("number.log", value(9, "12x4"))
	broken("negative.log", value(9, "-44"))
	broken("address.log", value(3, "198.51.100.266"))
	broken("port.log", value(6, "70000"))
	broken("protocol.log", value(7, "300"))
	broken("overflow.log", value(9, "18446744073709551616"))

	// many alike, which are worth grouping, and one that differs
	several := join(" ", header)
	for i, r := range records {
		r = append([]string(nil), r...)
		switch {
		case r[13] != "OK":
		case i == 0:
			r[4] = "localhost"
		default:
			r[8] = fmt.Sprintf("%s.%d", r[8], i)
		}
		several += join(" ", r)
	}
	put("several.log", several)

	put("empty.log", "")
	put("header-only.log", join(" ", header))
	whole := gzipped([]byte(strings.Repeat(plain, 3)))
	files["bad/truncated.log.gz"] = bytes.Clone(whole[:len(whole)*2/3])
	picture, err := hex.DecodeString("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63a8070000810080d394534a0000000049454e44ae426082")
	if err != nil {
		panic(err)
	}
	files["bad/picture.png"] = picture
}
