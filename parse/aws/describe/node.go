package describe

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// A node is an element of XML. It has children or text.
type node struct {
	name     string // without its name space
	text     []byte
	children []*node
}

// deepest is the depth of elements in an answer at most. Those of AWS have about ten.
const deepest = 100

// parse reads a body that is one element, to its end.
func parse(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var root *node
	var open []*node
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF && root != nil && len(open) == 0:
			return root, nil
		case err == io.EOF:
			return nil, fmt.Errorf("the server answered with %s instead of XML", whatIs(body))
		case err != nil:
			return nil, fmt.Errorf("the XML of the answer breaks off or is wrong: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local}
			switch {
			case len(open) == deepest:
				return nil, errors.New("the XML of the answer is nested too deeply")
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, n)
			case root != nil:
				return nil, errors.New("the answer is more than one XML document")
			default:
				root = n
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				n := open[len(open)-1]
				n.text = append(n.text, t...)
			} else if root == nil && len(bytes.TrimSpace(t)) > 0 {
				return nil, fmt.Errorf("the server answered with %s instead of XML", whatIs(body))
			}
		}
	}
}

// whatIs describes a body that is not what was asked for.
func whatIs(body []byte) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return "nothing"
	}
	const most = 40
	return fmt.Sprintf("%.*q", most, body[:min(len(body), most)])
}

// child returns the first child of a name, or nil.
func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value is the text, "" of nil.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	return string(n.text)
}

// all returns the children of a name.
func (n *node) all(name string) []*node {
	var same []*node
	for _, c := range n.children {
		if c.name == name {
			same = append(same, c)
		}
	}
	return same
}
