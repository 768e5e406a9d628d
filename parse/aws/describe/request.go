package describe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/aws"
)

// params are the parameters of a call that is made for others: texts, and lists of texts.
type params map[string]any

// A page is one answer.
type page struct {
	elements [][]byte // JSON, each in the aws command's shape
	keys     []string // of the elements, for calls that are made for them
	next     string   // where to go on, "" at the end
}

// add writes an element and takes it in. The parameter that it is asked for by stands at its end, if the table says so.
func (p *page) add(call *Call, asked params, key string, write func(*shaper) error) error {
	var s shaper
	if err := write(&s); err != nil {
		return err
	}
	if call.Each != nil && call.Each.Add {
		s.Truncate(s.Len() - len("}"))
		if s.Len() > len("{") {
			s.WriteByte(',')
		}
		s.string(call.Each.Param)
		s.WriteByte(':')
		s.string(asked[call.Each.Param].(string))
		s.WriteByte('}')
	}
	p.elements = append(p.elements, s.Bytes())
	if call.Key != "" {
		p.keys = append(p.keys, key)
	}
	return nil
}

// A caller sends requests to one region.
type caller struct {
	conn   *aws.Connection
	region string
}

// page makes a call for the page at a token, "" for the first one.
func (c *caller) page(ctx context.Context, call *Call, asked params, token string) (page, error) {
	r := aws.Request{Permission: call.Permission()}
	var answer page
	var take func() error // what is wrong with a value is so at each attempt: it is taken after the last
	whole := func(next string, err error) error {
		if err == nil && next != "" && next == token {
			err = errors.New("the server says that the answer goes on, but not where")
		}
		answer.next = next
		return err
	}
	if call.Path == "" && call.Service.target == "" {
		call.query(&r, asked, token)
		r.Check = func(body []byte) error {
			result, next, err := call.resultXML(body)
			take = func() error { return call.takeXML(result, asked, &answer) }
			return whole(next, err)
		}
	} else {
		if err := call.json(&r, asked, token); err != nil {
			return page{}, err
		}
		r.Check = func(body []byte) error {
			result, next, err := call.resultJSON(body)
			take = func() error { return call.takeJSON(result, asked, &answer) }
			return whole(next, err)
		}
	}
	if _, err := c.conn.Call(ctx, call.Service.Service, c.region, r); err != nil {
		return page{}, err
	}
	if err := take(); err != nil {
		return page{}, fmt.Errorf("the answer of %s in %s: %w", call.Service.ID, c.region, err)
	}
	return answer, nil
}

// query makes a request of the Query protocol.
func (c *Call) query(r *aws.Request, asked params, token string) {
	form := url.Values{"Action": {c.Action}, "Version": {c.Service.version}}
	if c.Page > 0 {
		form.Set(c.Service.size, strconv.Itoa(c.Page))
	}
	if token != "" {
		form.Set(c.Service.token, token)
	}
	for name, value := range asked {
		form.Set(name, value.(string))
	}
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	r.Body = []byte(form.Encode())
}

// resultXML finds the element with the result, nil if there is none, and the token of the next page.
func (c *Call) resultXML(body []byte) (result *node, next string, err error) {
	root, err := parse(body)
	if err != nil {
		return nil, "", err
	}
	if want := c.Action + "Response"; root.name != want {
		return nil, "", fmt.Errorf("the server answered with <%s> instead of <%s>", root.name, want)
	}
	if inner := root.child(c.Action + "Result"); inner != nil { // of all but EC2
		root = inner
	}
	return root.child(c.XML), root.child(c.Service.next).value(), nil
}

func (c *Call) takeXML(result *node, asked params, to *page) error {
	if result == nil {
		return nil
	}
	keyed := slices.IndexFunc(c.Members, func(m Member) bool { return m.CLI == c.Key })
	for _, e := range result.children {
		key := ""
		if keyed >= 0 {
			key = e.child(c.Members[keyed].XML).value()
		}
		if err := to.add(c, asked, key, func(s *shaper) error { return s.object(e, c.Members) }); err != nil {
			return fmt.Errorf("%s: %w", c.CLI, err)
		}
	}
	return nil
}

// json makes a request of REST, or of the JSON protocol, where the body has the parameters.
func (c *Call) json(r *aws.Request, asked params, token string) (err error) {
	paging := make(map[string]any)
	if c.Page > 0 {
		paging[c.Service.size] = c.Page
	}
	if token != "" {
		paging[c.Service.token] = token
	}
	if c.Path == "" {
		for name, value := range asked {
			paging[name] = value
		}
		r.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {c.Service.target + "." + c.Action}}
		r.Body, err = json.Marshal(paging)
		return err
	}
	r.Method, r.Path = http.MethodGet, c.Path
	for name, value := range asked {
		r.Path = strings.ReplaceAll(r.Path, "{"+name+"}", url.PathEscape(value.(string)))
	}
	query := make(url.Values)
	for name, value := range paging {
		query.Set(name, fmt.Sprint(value))
	}
	if len(query) > 0 {
		r.Path += "?" + query.Encode()
	}
	return nil
}

// resultJSON finds the member with the result, and the token of the next page.
func (c *Call) resultJSON(body []byte) (result json.RawMessage, next string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, "", fmt.Errorf("the server answered with %s instead of a JSON object: %w", whatIs(body), err)
	}
	if result = members[c.CLI]; result == nil || string(result) == "null" {
		return nil, "", fmt.Errorf("the answer to %s has no member %s", c.Action, c.CLI)
	}
	if token := members[c.Service.next]; token != nil {
		err = json.Unmarshal(token, &next)
	}
	return result, next, err
}

func (c *Call) takeJSON(result json.RawMessage, asked params, to *page) error {
	elements := []json.RawMessage{result} // of a call about one thing
	if result[0] == '[' {
		if err := json.Unmarshal(result, &elements); err != nil {
			return fmt.Errorf("%s: %w", c.CLI, err)
		}
	}
	for _, e := range elements {
		key := ""
		if c.Key != "" {
			if err := json.Unmarshal(e, &key); err != nil {
				return fmt.Errorf("%s: %w", c.CLI, err)
			}
		}
		if err := to.add(c, asked, key, func(s *shaper) error { return s.reshape(e, c.Members) }); err != nil {
			return fmt.Errorf("%s: %w", c.CLI, err)
		}
	}
	return nil
}
