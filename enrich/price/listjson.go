package price

import (
	"bufio"
	"fmt"

	"flowlog/enrich/price/internal/stream"
)

// listedProduct is what flowlog reads of a product.
type listedProduct struct {
	Attributes struct {
		UsageType      string `json:"usagetype"`
		RegionCode     string `json:"regionCode"`
		FromRegionCode string `json:"fromRegionCode"`
		ToRegionCode   string `json:"toRegionCode"`
	} `json:"attributes"`
}

// listedTerm is what flowlog reads of a term.
type listedTerm struct {
	EffectiveDate   string `json:"effectiveDate"`
	PriceDimensions map[string]struct {
		Unit         string            `json:"unit"`
		BeginRange   string            `json:"beginRange"`
		EndRange     string            `json:"endRange"`
		PricePerUnit map[string]string `json:"pricePerUnit"`
	} `json:"priceDimensions"`
}

// readProducts reads the products of traffic: the first pass.
func (l *priceList) readProducts(in *bufio.Reader) error {
	found := false
	err := stream.Whole(l.name, in, func(s *stream.JSON, name string) error {
		switch name {
		case "publicationDate":
			return s.Value(&l.date)
		case "products":
			found = true
			return s.Object(func(sku string) error {
				var p listedProduct
				err := s.Value(&p)
				a := p.Attributes
				region := a.RegionCode
				if region == "" {
					region = a.FromRegionCode
				}
				if err == nil {
					err = l.add(sku, a.UsageType, region, a.ToRegionCode)
				}
				return err
			})
		}
		return s.Pass()
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: is no price list of AWS: it has no products", l.name)
	}
	return err
}

// readTerms reads the prices of the products on demand: the second pass.
func (l *priceList) readTerms(in *bufio.Reader) error {
	return stream.Whole(l.name, in, func(s *stream.JSON, name string) error {
		if name != "terms" {
			return s.Pass()
		}
		return s.Object(func(kind string) error {
			if kind != "OnDemand" {
				return s.Pass()
			}
			return s.Object(func(sku string) error {
				p := l.products[sku]
				if p == nil {
					return s.Pass()
				}
				var terms map[string]listedTerm
				if err := s.Value(&terms); err != nil {
					return err
				}
				return l.terms(p, terms)
			})
		})
	})
}

func (l *priceList) terms(p *product, terms map[string]listedTerm) error {
	for _, term := range terms {
		for _, d := range term.PriceDimensions {
			if len(d.PricePerUnit) != 1 {
				return fmt.Errorf("a price of %s in %d currencies", p.what(), len(d.PricePerUnit))
			}
			for currency, price := range d.PricePerUnit {
				if err := l.row(p, term.EffectiveDate, d.Unit, currency, d.BeginRange, d.EndRange, price); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
