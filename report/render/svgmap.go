package render

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"

	"flowlog/report"
)

// world has the outlines of land and borders, written by testdata/gen/world.
//
//go:embed html/world.txt
var world string

// worldPerDegree is the precision of the outlines: units per degree.
const worldPerDegree = 5

// The size of the map in drawing units. It shows the world from 84° north to 58° south.
const (
	mapWidth  = 2000
	mapHeight = 875
	mapScale  = mapWidth / (2 * 0.8707 * math.Pi)
	mapNorth  = 84
)

// project maps a longitude and a latitude to the drawing by Tom Patterson's Natural Earth projection, with the polynomials
// of Bojan Šavrič and others, "A Polynomial Equation for the Natural Earth Projection" (2011).
func project(longitude, latitude float64) (x, y float64) {
	at := func(latitude float64) (width, y float64) {
		phi := latitude * math.Pi / 180
		p2 := phi * phi
		p4 := p2 * p2
		return 0.8707 - 0.131979*p2 + p4*(-0.013791+p4*(0.003971*p2-0.001529*p4)),
			phi * (1.007226 + p2*(0.015085+p4*(-0.044475+0.028874*p2-0.005916*p4)))
	}
	width, up := at(latitude)
	_, north := at(mapNorth)
	return mapWidth/2 + mapScale*width*longitude*math.Pi/180, mapScale * (north - up)
}

// worldPaths returns the outlines as SVG paths: land, which is filled, and borders.
func worldPaths() (land, borders string) {
	paths := map[byte]*strings.Builder{'L': {}, 'B': {}}
	for outline := range strings.Lines(world) {
		d := paths[outline[0]]
		x, y, lastX, lastY := 0, 0, 0, 0
		words := strings.Fields(outline[1:])
		for i := 0; i+1 < len(words); i += 2 {
			dx, _ := strconv.Atoi(words[i]) // a test reads all of it
			dy, _ := strconv.Atoi(words[i+1])
			x, y = x+dx, y+dy
			px, py := project(float64(x)/worldPerDegree, float64(y)/worldPerDegree)
			nowX, nowY := int(math.Round(px)), int(math.Round(py))
			switch {
			case i == 0:
				fmt.Fprintf(d, "M%d %d", nowX, nowY)
			case nowX == lastX && nowY == lastY:
				continue
			default:
				if i == 2 {
					d.WriteByte('l')
				} else if nowX >= lastX {
					d.WriteByte(' ')
				}
				d.WriteString(strconv.Itoa(nowX - lastX))
				if nowY >= lastY {
					d.WriteByte(' ')
				}
				d.WriteString(strconv.Itoa(nowY - lastY))
			}
			lastX, lastY = nowX, nowY
		}
		if outline[0] == 'L' {
			d.WriteByte('z')
		}
	}
	return paths['L'].String(), paths['B'].String()
}

// placesDrawn is the most points of a map: more would hide each other.
const placesDrawn = 1000

// pageMap draws a point for each row, with an area proportional to the measure.
func pageMap(m *markup, t report.Table, measure int, opt Options) {
	const smallest, largest = 5, 34 // pixels across
	c := t.Columns[measure]
	latitude, longitude := placeColumns(t)
	label := labeller(t, opt, latitude, longitude)
	top, placed, g := 0.0, 0, grid{Column: c}
	for _, row := range t.Rows {
		v, ok := number(row[measure])
		if isNull(row[latitude]) || isNull(row[longitude]) {
			g.lost, g.lostRows = g.join(g.lost, row[measure]), g.lostRows+1
		} else if ok {
			placed++
			top = max(top, v)
		}
	}
	title, description := m.id(), m.id()
	m.put(`<svg class="plot map" role="img" viewBox="0 0 {} {}" aria-labelledby="{}" aria-describedby="{}">`, mapWidth, mapHeight, title, description)
	m.put(`<g><title id="{}">{}</title><desc id="{}">{}</desc></g>`, title, titleOf(t), description,
		fmt.Sprintf("A map of the world with %s, by %s. The table has all values.", numberOf(placed, "place"), spoken(c.Name)))
	if !m.world {
		m.world = true
		land, borders := worldPaths()
		m.put(`<g id="world"><path class="land" d="{}"/><path class="borders" d="{}"/></g>`, land, borders)
	} else {
		m.put(`<use href="#world"/>`)
	}
	drawn := 0
	for _, row := range t.Rows { // in order, so that small points are on top of large ones
		lat, ok := number(row[latitude])
		lon, ok2 := number(row[longitude])
		v, ok3 := number(row[measure])
		if !ok || !ok2 || !ok3 || v <= 0 || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
			continue
		}
		if drawn++; drawn > placesDrawn {
			break
		}
		tips := tip{head: label(row)}
		for j, c := range t.Columns {
			if c.Role == report.MeasureRole && !isNull(row[j]) {
				tips.add("", c.Name, exact(c, row[j], opt))
			}
		}
		x, y := project(lon, lat)
		// a line of length 0 with round ends: a point whose size does not scale with the map
		m.put(`<path class="place" d="M{} {}h0" stroke-width="{}" data-tip="{}"/>`, math.Round(x), math.Round(y), math.Round(smallest+(largest-smallest)*math.Sqrt(v/top)), tips)
	}
	m.put(`</svg>`)
	m.mapNotes(t, measure, g, opt)
}

// mapNotes writes below the map which values and places are not on it.
func (m *markup) mapNotes(t report.Table, measure int, g grid, opt Options) {
	if g.lost != nil {
		s := numberOf(g.lostRows, "row")
		if g.Share {
			s = exact(g.Column, g.lost, opt)
			if g.Unit != report.Bytes {
				s += " " + spoken(g.Name)
			}
			if len(t.Totals) > measure {
				s += ", " + humanPercent(g.lost, t.Totals[measure]) + " % of all,"
			}
		}
		m.put(`<p class="note">Not on the map: {} whose address has no known place. Private addresses have none.</p>`, s)
	}
	if shown := min(len(t.Rows), placesDrawn); shown < len(t.Rows)+t.Cut {
		m.put(`<p class="note">The first {} of {} places.</p>`, grouped(int64(shown)), grouped(int64(len(t.Rows)+t.Cut)))
	}
}
