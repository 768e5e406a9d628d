// World reduces the outlines of Natural Earth, 1:110 million, which are in the public domain, to what the map of
// flowlog's pages needs: land and the borders in it, without Antarctica, to a fifth of a degree.
//
//	npm pack world-atlas@2.0.2
//	go run ./world world-atlas-2.0.2.tgz > ../../report/render/html/world.txt
//
// Every line of the output is a letter and an outline: L for land, whose end joins its beginning, or B for a
// border. Numbers are fifths of a degree: longitude and latitude of the first point, then the steps to the next.
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
)

// perDegree is the precision: a page shows some three pixels a degree.
const perDegree = 5

// south is the latitude that an outline must reach to be shown. Who lives south of it sends no packets.
const south = -58 * perDegree

type point struct{ x, y int }

// topology is the part of TopoJSON that world-atlas uses.
type topology struct {
	Arcs      [][][2]float64
	Transform struct{ Scale, Translate [2]float64 }
	Objects   map[string]struct {
		Geometries []struct {
			Type string
			Arcs json.RawMessage
		}
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: world world-atlas-2.0.2.tgz > world.txt")
	}
	t, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriter(os.Stdout)
	for _, ring := range t.rings("land") {
		var line []point
		for _, arc := range ring {
			line = append(line, t.points(arc)...)
		}
		for _, part := range cut(line) {
			write(w, 'L', part)
		}
	}
	users := make([]int, len(t.Arcs))
	for _, ring := range t.rings("countries") {
		for _, arc := range ring {
			users[max(arc, ^arc)]++
		}
	}
	for arc, n := range users {
		if n > 1 {
			write(w, 'B', t.points(arc))
		}
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
}

func read(name string) (*topology, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: there is no package/countries-110m.json", name)
		}
		if err != nil {
			return nil, err
		}
		if h.Name == "package/countries-110m.json" {
			var t topology
			return &t, json.NewDecoder(archive).Decode(&t)
		}
	}
}

// rings lists the rings of an object, each a list of arcs. An arc that is walked backwards is the complement of
// its number.
func (t *topology) rings(object string) [][]int {
	var rings [][]int
	for _, g := range t.Objects[object].Geometries {
		var polygons [][][]int
		err := json.Unmarshal(g.Arcs, &polygons)
		if g.Type == "Polygon" {
			polygons = make([][][]int, 1)
			err = json.Unmarshal(g.Arcs, &polygons[0])
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, p := range polygons {
			rings = append(rings, p...)
		}
	}
	return rings
}

func (t *topology) points(arc int) []point {
	var line []point
	x, y := 0.0, 0.0
	for _, d := range t.Arcs[max(arc, ^arc)] {
		x, y = x+d[0], y+d[1]
		line = append(line, point{t.round(x, 0), t.round(y, 1)})
	}
	if arc < 0 {
		for i, j := 0, len(line)-1; i < j; i, j = i+1, j-1 {
			line[i], line[j] = line[j], line[i]
		}
	}
	return line
}

func (t *topology) round(v float64, axis int) int {
	return int(math.Round((v*t.Transform.Scale[axis] + t.Transform.Translate[axis]) * perDegree))
}

// cut takes a ring apart where it leaves the map on one side and comes back on the other.
func cut(ring []point) [][]point {
	var parts [][]point
	start := 0
	for i := 1; i < len(ring); i++ {
		if d := ring[i].x - ring[i-1].x; d > 180*perDegree || d < -180*perDegree {
			parts = append(parts, ring[start:i])
			start = i
		}
	}
	if parts == nil {
		return [][]point{ring}
	}
	parts[0] = append(append([]point(nil), ring[start:]...), parts[0]...)
	for i := range parts {
		parts[i] = append(parts[i], parts[i][0])
	}
	return parts
}

// write writes an outline without the points that change nothing, unless it is too small or too far south.
func write(w io.Writer, kind byte, line []point) {
	var kept []point
	north := math.MinInt
	for i, p := range line {
		north = max(north, p.y)
		n := len(kept)
		if n > 0 && kept[n-1] == p {
			continue
		}
		if n > 1 && i < len(line)-1 && straight(kept[n-2], kept[n-1], p) {
			kept[n-1] = p
			continue
		}
		kept = append(kept, p)
	}
	if north < south || len(kept) < 2 || kind == 'L' && len(kept) < 4 {
		return
	}
	if kind == 'L' {
		kept = kept[:len(kept)-1] // which is the first
	}
	fmt.Fprintf(w, "%c%d %d", kind, kept[0].x, kept[0].y)
	for i := 1; i < len(kept); i++ {
		fmt.Fprintf(w, " %d %d", kept[i].x-kept[i-1].x, kept[i].y-kept[i-1].y)
	}
	fmt.Fprintln(w)
}

// straight reports whether b is on the way from a to c. Long ways are kept in steps, as the projection bends them.
func straight(a, b, c point) bool {
	dx, dy := c.x-a.x, c.y-a.y
	return (b.x-a.x)*dy == (b.y-a.y)*dx && (b.x-a.x)*(c.x-b.x)+(b.y-a.y)*(c.y-b.y) > 0 && dx*dx+dy*dy < 100*perDegree*perDegree
}
