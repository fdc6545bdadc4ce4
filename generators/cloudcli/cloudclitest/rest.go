package cloudclitest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"sync"
)

// REST is Google's side of the gcloud command: it keeps things by their URLs, as the real one does, and every operation is
// done at once.
type REST struct {
	Things  map[string]object // by path: "projects/p/regions/r/addresses/etcd-prod"
	Changed []string          // method and path of each request that changed something
	mu      sync.Mutex
	base    string // URL before the path
}

// NewREST has nothing.
func NewREST() *REST { return &REST{Things: map[string]object{}} }

func (s *REST) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/mixed" {
		s.batch(w, multipart.NewReader(r.Body, params["boundary"]))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var body object
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		body = object{}
	}
	s.base = "http://" + r.Host
	answer := s.answer(r.Method, strings.Trim(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/compute/v1"), "/dns/v1"), "/"), body)
	w.Header().Set("Content-Type", "application/json")
	if answer == nil {
		w.WriteHeader(http.StatusNotFound)
		answer = object{"error": object{"code": 404, "message": r.Method + " " + r.URL.Path + " is not here"}}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

var collections = []string{"addresses", "healthChecks", "instanceGroups", "backendServices", "forwardingRules", "firewalls", "rrsets", "instanceGroupManagers"}

// batch answers many requests that come as one.
func (s *REST) batch(w http.ResponseWriter, parts *multipart.Reader) {
	out := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+out.Boundary())
	for {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		text, err := io.ReadAll(part)
		if err != nil {
			panic(err)
		}
		line, body, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
		_, body, _ = strings.Cut(body, "\n\n")
		words := strings.Fields(line)
		one := httptest.NewRecorder()
		s.ServeHTTP(one, httptest.NewRequest(words[0], words[1], strings.NewReader(body)))
		id := strings.Replace(part.Header.Get("Content-ID"), "<", "<response-", 1)
		to, err := out.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-ID": {id}})
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(to, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\n\r\n%s\r\n", one.Code, one.Body.String())
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
}

// answer is what a request gets; nil for what is not there.
func (s *REST) answer(method, at string, body object) object {
	last := path.Base(at)
	switch {
	case strings.Contains(at, "/operations/"):
		at = strings.TrimSuffix(at, "/wait")
		words := strings.SplitN(path.Base(at), "-", 3)
		return s.operation(path.Join(path.Dir(path.Dir(at)), words[1], words[2]), words[0])
	case last == "listInstances" || last == "getHealth":
		return s.members(path.Dir(at), last)
	case strings.Contains(at, "/aggregated/"):
		return s.aggregated(at)
	case method == http.MethodGet && s.Things[at] != nil:
		return s.Things[at]
	case method == http.MethodGet && last == "internal": // the zone of records
		return object{"name": last, "dnsName": "example.com."}
	case method == http.MethodGet && slices.Contains(collections, last):
		return s.list(at)
	case method == http.MethodGet:
		return nil
	}
	s.Changed = append(s.Changed, method+" "+at)
	return s.change(method, at, body)
}

func (s *REST) change(method, at string, body object) object {
	last := path.Base(at)
	switch {
	case last == "addInstances" || last == "removeInstances":
		group := s.Things[path.Dir(at)]
		for _, i := range list(body["instances"]) {
			kept := slices.DeleteFunc(list(group["instances"]), func(have any) bool { return fmt.Sprint(have) == fmt.Sprint(i) })
			if last == "addInstances" {
				kept = append(kept, i)
			}
			group["instances"] = kept
		}
		at = path.Dir(at)
	case method == http.MethodPost:
		name := fmt.Sprint(body["name"])
		if path.Base(at) == "rrsets" {
			name += "/" + fmt.Sprint(body["type"])
		}
		at = path.Join(at, name)
		if s.Things[at] != nil {
			return nil
		}
		s.Things[at] = s.complete(at, body)
	case s.Things[at] == nil:
		return nil
	case method == http.MethodDelete:
		delete(s.Things, at)
	case method == http.MethodPut:
		s.Things[at] = s.complete(at, body)
	default:
		maps.Copy(s.Things[at], body)
	}
	if strings.Contains(at, "/rrsets/") { // whose changes are no operations
		return body
	}
	return s.operation(at, map[string]string{http.MethodPost: "insert", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}[method])
}

// complete adds what Google does.
func (s *REST) complete(at string, body object) object {
	body["selfLink"] = s.base + "/compute/v1/" + at
	maps.Copy(body, s.place(at))
	parts := strings.Split(at, "/")
	if parts[len(parts)-2] == "addresses" && body["address"] == nil {
		body["address"] = "10.0.1.77"
	}
	return body
}

// place is the zone or region of a thing.
func (s *REST) place(at string) object {
	parts := strings.Split(at, "/")
	for i, part := range parts {
		if part == "zones" || part == "regions" {
			return object{strings.TrimSuffix(part, "s"): s.base + "/compute/v1/" + strings.Join(parts[:i+2], "/")}
		}
	}
	return object{}
}

// operation is one that is done already, of a kind, on a thing. Its name holds both, for those who ask again.
func (s *REST) operation(of, kind string) object {
	at := path.Join(path.Dir(path.Dir(of)), "operations", kind+"-"+path.Base(path.Dir(of))+"-"+path.Base(of))
	link := s.base + "/compute/v1/"
	out := object{"kind": "compute#operation", "name": path.Base(at), "operationType": kind, "status": "DONE", "selfLink": link + at, "targetLink": link + of}
	maps.Copy(out, s.place(of))
	return out
}

func (s *REST) list(at string) object {
	items := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.Things)) {
		if rest, ok := strings.CutPrefix(name, at+"/"); ok && (!strings.Contains(rest, "/") || path.Base(at) == "rrsets") {
			items = append(items, s.Things[name])
		}
	}
	return object{"items": items, "rrsets": items}
}

// aggregated lists things of all zones.
func (s *REST) aggregated(at string) object {
	kind, scopes := path.Base(at), object{}
	for _, name := range slices.Sorted(maps.Keys(s.Things)) {
		parts := strings.Split(name, "/")
		if n := len(parts); parts[n-2] == kind {
			scope := strings.Join(parts[2:n-2], "/")
			held, _ := scopes[scope].(object)
			if held == nil {
				held = object{kind: []any{}}
				scopes[scope] = held
			}
			held[kind] = append(list(held[kind]), s.Things[name])
		}
	}
	return object{"items": scopes}
}

func (s *REST) members(of, what string) object {
	if what == "listInstances" {
		return object{"items": list(s.Things[of]["instances"])}
	}
	return object{"healthStatus": []any{}}
}
