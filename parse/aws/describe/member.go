package describe

import (
	"slices"
	"strings"
)

// A Kind says what the text of a member is in JSON.
type Kind uint8

const (
	Text   Kind = iota
	Number      // as it is
	Bool        // true or false
	Time        // as the aws command's version 2 writes times: 2026-11-28T16:00:00+00:00
	List        // of what Of has, or of texts
	Object      // with the members of Of
)

// A Member is one of an element's that readers of an inventory use.
type Member struct {
	XML, CLI string // its names in the answer, if that is XML, and as the aws command prints it
	Kind     Kind
	Of       []Member
}

// byRule is the name that the aws command gives to a member in most cases: without a final Set, with a capital letter.
func byRule(xml string) string {
	name := xml
	if s := strings.TrimSuffix(xml, "Set"); s != "" {
		name = s
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func named(kind Kind, xml []string) []Member {
	var all []Member
	for _, name := range xml {
		all = append(all, Member{XML: name, CLI: byRule(name), Kind: kind})
	}
	return all
}

// text, number, boolean and moment are members whose name goes by the rule.
func text(xml ...string) []Member    { return named(Text, xml) }
func number(xml ...string) []Member  { return named(Number, xml) }
func boolean(xml ...string) []Member { return named(Bool, xml) }
func moment(xml ...string) []Member  { return named(Time, xml) }

// seconds are members in JSON whose time comes as seconds since 1970.
func seconds(cli ...string) []Member {
	var all []Member
	for _, name := range cli {
		all = append(all, Member{CLI: name, Kind: Time})
	}
	return all
}

// renamed is a text whose name does not go by the rule.
func renamed(xml, cli string) []Member { return []Member{{XML: xml, CLI: cli}} }

// list is a list of objects with these members, or of texts if there are none.
func list(xml, cli string, of ...[]Member) []Member {
	return []Member{{xml, cli, List, slices.Concat(of...)}}
}

// object is an object with these members.
func object(xml, cli string, of ...[]Member) []Member {
	return []Member{{xml, cli, Object, slices.Concat(of...)}}
}

// find returns the member of an XML name, or nil.
func find(members []Member, xml string) *Member {
	if i := slices.IndexFunc(members, func(m Member) bool { return m.XML == xml }); i >= 0 {
		return &members[i]
	}
	return nil
}
