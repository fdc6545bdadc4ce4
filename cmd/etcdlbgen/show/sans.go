package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// certificate is what one certificate must carry.
type certificate struct {
	Holder     string   `json:"holder"` // who presents it
	CommonName string   `json:"commonName"`
	Names      []string `json:"dnsNames"`
	Addresses  []string `json:"ipAddresses"`
	Usages     []string `json:"extendedKeyUsages"`
	File       string   `json:"file,omitempty"` // where its machine expects it
}

func certificates(t *topology.Topology) []certificate {
	out := []certificate{}
	for _, r := range t.Required {
		c := certificate{
			Holder: r.Holder.Path(), CommonName: r.Name, Names: append([]string{}, r.Names...), Addresses: []string{},
			Usages: r.Usages(), File: r.Files.Cert.V,
		}
		for _, a := range r.Addrs {
			c.Addresses = append(c.Addresses, a.String())
		}
		out = append(out, c)
	}
	return out
}

func sansValue(t *topology.Topology) any { return certificates(t) }

// sansText writes alternative names as openssl does.
func sansText(w io.Writer, t *topology.Topology) {
	for i, c := range certificates(t) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s, common name %s, for %s\n", c.Holder, c.CommonName, strings.Join(c.Usages, " and "))
		if c.File != "" {
			fmt.Fprintf(w, "  file:%s\n", c.File)
		}
		for _, n := range c.Names {
			fmt.Fprintf(w, "  DNS:%s\n", n)
		}
		for _, a := range c.Addresses {
			fmt.Fprintf(w, "  IP:%s\n", a)
		}
	}
}
