package describe

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// callOf finds a call by the aws command's word for the service, and the action.
func callOf(t *testing.T, service, action string) *Call {
	t.Helper()
	for _, c := range Calls(Words()...) {
		if c.Action == action && (c.With == service || c.With == "" && service == "ec2") {
			return c
		}
	}
	t.Fatalf("there is no call %s of %s", action, service)
	return nil
}

// taken is the result of a call in an answer, as flowlog writes it.
func taken(c *Call, body []byte) (any, error) {
	var p page
	asked := params{}
	if c.Each != nil {
		asked[c.Each.Param] = "key"
	}
	if c.XML != "" {
		result, _, err := c.resultXML(body)
		if err == nil {
			err = c.takeXML(result, asked, &p)
		}
		if err != nil {
			return nil, err
		}
	} else {
		result, _, err := c.resultJSON(body)
		if err == nil {
			err = c.takeJSON(result, asked, &p)
		}
		if err != nil {
			return nil, err
		}
	}
	list := []any{}
	for _, e := range p.elements {
		var v any
		if err := json.Unmarshal(e, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// reduced is a value without what the table does not have.
func reduced(v any, members []Member) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = reduced(v[i], members)
		}
	case map[string]any:
		if members == nil {
			return v
		}
		kept := make(map[string]any)
		for _, m := range members {
			if inner, ok := v[m.CLI]; ok {
				kept[m.CLI] = reduced(inner, m.Of)
			}
		}
		return kept
	}
	return v
}

// compare holds the answers in a folder against what the aws command prints of them.
func compare(t *testing.T, folder string, want map[string]map[string]any) {
	t.Helper()
	for name, printed := range want {
		parts := strings.Split(name, ".")
		body, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		c := callOf(t, parts[0], parts[1])
		members := c.Members
		if c.XML == "" {
			members = nil // all of it
		}
		got, err := taken(c, body)
		if got = reduced(got, members); err != nil || !reflect.DeepEqual(got, reduced(printed[c.CLI], members)) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, indent(got), indent(reduced(printed[c.CLI], members)))
		}
	}
}

func indent(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// Answers are what the aws command prints of them: testdata/answers.json has it, and where there is a Python with botocore,
// it is held against that.
func TestAnswers(t *testing.T) {
	text, err := os.ReadFile("testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]map[string]any)
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("testdata/answers")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d answers and %d prints, %v", len(files), len(want), err)
	}
	compare(t, "testdata/answers", want)
	t.Run("botocore", func(t *testing.T) {
		if got := botocore(t, nil, "testdata/answers"); string(got) != string(text) {
			t.Errorf("botocore parses them as\n%s", got)
		}
	})
}

// Every member of the table in every call is what the aws command prints.
func TestEveryMember(t *testing.T) {
	dir := t.TempDir()
	for _, c := range Calls(Words()...) {
		if c.XML == "" {
			continue
		}
		result := "<" + c.XML + ">" + strings.Repeat("<item>"+sample(c.Members)+"</item>", 2) + "<item/></" + c.XML + ">"
		service := c.With
		if service == "" {
			service = "ec2"
		} else {
			result = "<" + c.Action + "Result>" + strings.NewReplacer("<item", "<member", "</item", "</member").Replace(result) + "</" + c.Action + "Result>"
		}
		body := "<" + c.Action + "Response>" + result + "</" + c.Action + "Response>"
		if err := os.WriteFile(filepath.Join(dir, service+"."+c.Action+".xml"), []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := make(map[string]map[string]any)
	if err := json.Unmarshal(botocore(t, nil, dir), &want); err != nil {
		t.Fatal(err)
	}
	if len(want) < 20 {
		t.Errorf("%d calls", len(want))
	}
	compare(t, dir, want)
}

// sample is XML with a value for each member.
func sample(members []Member) string {
	var b strings.Builder
	for i, m := range members {
		fmt.Fprintf(&b, "<%s>", m.XML)
		switch m.Kind {
		case Number:
			fmt.Fprint(&b, i-1)
		case Bool:
			fmt.Fprint(&b, i%2 == 0)
		case Time:
			fmt.Fprintf(&b, "2026-11-28T16:00:%02d.%03dZ", i, i%3*100)
		case List:
			if m.Of == nil {
				b.WriteString("<item>a</item><item> b&amp;c </item>")
			} else {
				b.WriteString("<item>" + sample(m.Of) + "</item><item>" + sample(m.Of) + "</item>")
			}
		case Object:
			b.WriteString(sample(m.Of))
		default:
			_ = xml.EscapeText(&b, []byte(" ü\"<"+m.CLI+">\t")) // to memory
		}
		fmt.Fprintf(&b, "</%s>", m.XML)
	}
	return b.String()
}

// What the table does not have is written by the rule, and nothing is lost or stands twice under a name.
func TestUnknownMembers(t *testing.T) {
	c := &Call{Action: "DescribeThings", XML: "thingSet", CLI: "Things", Service: ec2, Members: list("groupSet", "Groups", text("groupId"))}
	for body, want := range map[string]string{
		`<newThing>x</newThing>`:                     `{"NewThing":"x"}`,
		`<newThing/>`:                                `{"NewThing":""}`,
		`<newSet/>`:                                  `{"New":[]}`,
		`<newSet><item>x</item></newSet>`:            `{"New":["x"]}`,
		`<newSet><item><aId>1</aId></item></newSet>`: `{"New":[{"AId":"1"}]}`,
		`<new><aId>1</aId></new>`:                    `{"New":{"AId":"1"}}`,
		`<new>1</new><newSet/>`:                      `{"New":"1","NewSet":[]}`,
		`<new>1</new><other/><new>2</new>`:           `{"New":["1","2"],"Other":""}`,
		`<groups>x</groups><groupSet><item><x>1</x></item></groupSet>`:      `{"groups":"x","Groups":[{"X":"1"}]}`,
		`<groupSet><item><groupId>1</groupId><b><c/></b></item></groupSet>`: `{"Groups":[{"GroupId":"1","B":{"C":""}}]}`,
		`<Set>x</Set>`:                      `{"Set":"x"}`,
		"<a>&lt;b&gt; \u2028 &#x1F680;</a>": `{"A":"<b> \u2028 🚀"}`,
	} {
		result, _, err := c.resultXML([]byte("<DescribeThingsResponse><thingSet><item>" + body + "</item></thingSet></DescribeThingsResponse>"))
		var p page
		if err == nil {
			err = c.takeXML(result, nil, &p)
		}
		if err != nil || len(p.elements) != 1 || string(p.elements[0]) != want {
			t.Errorf("%s: got %s, %v, want %s", body, p.elements, err, want)
		}
	}
}

// A value that is none of its kind is an error with its place.
func TestWrongValues(t *testing.T) {
	interfaces := callOf(t, "ec2", "DescribeNetworkInterfaces")
	for body, want := range map[string]string{
		`<requesterManaged>yes</requesterManaged>`:                `NetworkInterfaces: RequesterManaged: "yes" is neither true nor false`,
		`<attachment><attachTime>soon</attachTime></attachment>`:  `NetworkInterfaces: Attachment: AttachTime: "soon" is not a time`,
		`<attachment><deviceIndex>"1"</deviceIndex></attachment>`: `NetworkInterfaces: Attachment: DeviceIndex: "\"1\"" is not a number`,
		`<vpcId>a</vpcId><vpcId>b</vpcId>`:                        `NetworkInterfaces: VpcId: it is there twice`,
	} {
		_, err := taken(interfaces, []byte("<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>"+body+"</item></networkInterfaceSet></DescribeNetworkInterfacesResponse>"))
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}

// FuzzAnswer takes any body for an answer, in XML and in JSON: it is refused, or its elements are valid JSON, as many as
// there are, and the XML has the right root.
func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/answers/*")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
		f.Add(body[:len(body)/2])
	}
	f.Add([]byte("<a><a><a><a>"))
	f.Add([]byte("<DescribeVpcsResponse/><DescribeVpcsResponse/>"))
	f.Add([]byte(`{"Functions":[1,"x",null,{"a":1e400}],"NextMarker":7}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range Calls(Words()...) {
			_, err := taken(c, body) // which reads what was written as JSON
			if err != nil && strings.Contains(err.Error(), "invalid character") && c.XML != "" && !strings.Contains(err.Error(), "XML") {
				t.Errorf("%s: %v", c.Action, err)
			}
			if err == nil && c.XML != "" && !strings.Contains(string(body), c.Action+"Response") {
				t.Errorf("%s takes %q", c.Action, body)
			}
		}
	})
}
