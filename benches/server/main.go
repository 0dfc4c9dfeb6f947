// The same gateway as nodes.rs and shared.rs, as one writes it in Go: 37 closures around a handler, values in the
// request's context. Only the standard library.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const body = "hello from upstream\n"

func fnv(text string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for i := 0; i < len(text); i++ {
		hash = (hash ^ uint64(text[i])) * 0x100000001b3
	}
	return hash
}

func mixed(value uint64) uint64 {
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9
	value = (value ^ (value >> 27)) * 0x94d049bb133111eb
	return value ^ (value >> 31)
}

type middleware func(http.Handler) http.Handler

type route struct {
	prefix  string
	tenants uint64
}

var (
	inFlight int64
	ids      uint64
	classes  [6]uint64
	took     [32]uint64
	denied   []uint64
	users    = map[string]uint64{}
	routes   = []route{
		{"/api/orders/archive/", 0xffff},
		{"/api/customers/", 0xffff},
		{"/api/invoices/", 0x00ff},
		{"/api/orders/", 0xffff},
		{"/static/", 0xffff},
		{"/health", 0xffff},
		{"/admin/", 0x0001},
	}
	flags    = [6]uint64{0xf0f0, 0xff00, 0x3c3c, 0xaaaa, 0x1234, 0xffff}
	cache    [64]uint64
	failures [8]uint32
)

// A type for each key, as the documentation of context asks.
type (
	keyID       struct{}
	keyClient   struct{}
	keyTrace    struct{}
	keyKey      struct{}
	keyUser     struct{}
	keyTenant   struct{}
	keyRoute    struct{}
	keyEncoding struct{}
	keyLanguage struct{}
	keyCache    struct{}
	keyCached   struct{}
	keyFeature  struct{ index int }
	keyUpstream struct{}
)

func with(r *http.Request, key, value any) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key, value))
}

func number(r *http.Request, key any) uint64 {
	return r.Context().Value(key).(uint64)
}

// The generic cell rate algorithm, one cell for each tenant.
type limiter struct {
	mutex sync.Mutex
	cells map[uint64]int64
}

const (
	interval = 20 // nanoseconds
	burst    = int64(time.Second)
)

func (l *limiter) allows(tenant uint64) bool {
	now := time.Now().UnixNano()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	at := l.cells[tenant]
	if at < now {
		at = now
	}
	if at-now > burst {
		return false
	}
	l.cells[tenant] = at + interval
	return true
}

// Remembers the status for who logs it.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// A node that refuses with a status, or passes on.
func check(work func(*http.Request) int) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status := work(r); status != 0 {
				w.WriteHeader(status)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// A node that leaves a value in the context.
func value(key any, work func(*http.Request) (any, int)) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found, status := work(r)
			if status != 0 {
				w.WriteHeader(status)
				return
			}
			next.ServeHTTP(w, with(r, key, found))
		})
	}
}

// The fields as net/http keeps them; it moves Host out of the header.
var fields = []string{
	"Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Cookie", "Authorization",
}

func field(name string) middleware {
	return check(func(r *http.Request) int {
		text := r.Header.Get(name)
		if name == "Host" {
			text = r.Host
		}
		if len(text) > 256 {
			return 400
		}
		for i := 0; i < len(text); i++ {
			if text[i] < ' ' || text[i] > '~' {
				return 400
			}
		}
		return 0
	})
}

func feature(index int) middleware {
	return value(keyFeature{index}, func(r *http.Request) (any, int) {
		before := number(r, keyFeature{index - 1})
		return before<<1 | (flags[index] >> (before & 15) & 1), 0
	})
}

func log2(micros int64) int {
	power := 0
	for micros > 1 {
		micros >>= 1
		power++
	}
	return power
}

func nodes() []middleware {
	limits := &limiter{cells: map[uint64]int64{}}
	all := []middleware{
		func(next http.Handler) http.Handler { // in flight
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				atomic.AddInt64(&inFlight, 1)
				defer atomic.AddInt64(&inFlight, -1)
				next.ServeHTTP(w, r)
			})
		},
		func(next http.Handler) http.Handler { // access log
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				started := time.Now()
				recorded := &recorder{w, 200}
				next.ServeHTTP(recorded, r)
				atomic.AddUint64(&classes[recorded.status/100], 1)
				atomic.AddUint64(&took[log2(time.Since(started).Microseconds())], 1)
			})
		},
		value(keyID{}, func(r *http.Request) (any, int) { return mixed(atomic.AddUint64(&ids, 1)), 0 }),
		check(func(r *http.Request) int {
			if r.Method == "GET" || r.Method == "HEAD" || r.Method == "POST" {
				return 0
			}
			return 405
		}),
		check(func(r *http.Request) int {
			if len(r.URL.Path) > 2048 {
				return 414
			}
			return 0
		}),
	}
	for _, name := range fields {
		all = append(all, field(name))
	}
	all = append(all,
		check(func(r *http.Request) int {
			if r.ContentLength > 1<<20 {
				return 413
			}
			return 0
		}),
		value(keyClient{}, func(r *http.Request) (any, int) {
			first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
			return fnv(strings.TrimSpace(first)), 0
		}),
		check(func(r *http.Request) int {
			client := number(r, keyClient{})
			at := sort.Search(len(denied), func(i int) bool { return denied[i] >= client })
			if at < len(denied) && denied[at] == client {
				return 403
			}
			return 0
		}),
		value(keyTrace{}, func(r *http.Request) (any, int) {
			_, rest, _ := strings.Cut(r.Header.Get("Traceparent"), "-")
			hex, _, _ := strings.Cut(rest, "-")
			if len(hex) > 16 {
				if trace, err := strconv.ParseUint(hex[16:], 16, 64); err == nil {
					return trace, 0
				}
			}
			return number(r, keyID{}), 0
		}),
		value(keyKey{}, func(r *http.Request) (any, int) {
			text := r.Header.Get("Authorization")
			if !strings.HasPrefix(text, "Bearer ") {
				return nil, 401
			}
			return text[len("Bearer "):], 0
		}),
		value(keyUser{}, func(r *http.Request) (any, int) {
			user, known := users[r.Context().Value(keyKey{}).(string)]
			if !known {
				return nil, 401
			}
			return user, 0
		}),
		value(keyTenant{}, func(r *http.Request) (any, int) { return number(r, keyUser{}) % 16, 0 }),
		check(func(r *http.Request) int {
			if limits.allows(number(r, keyTenant{})) {
				return 0
			}
			return 429
		}),
		value(keyRoute{}, func(r *http.Request) (any, int) {
			for index, route := range routes {
				if strings.HasPrefix(r.URL.Path, route.prefix) {
					return uint64(index), 0
				}
			}
			return nil, 404
		}),
		check(func(r *http.Request) int {
			if routes[number(r, keyRoute{})].tenants>>number(r, keyTenant{})&1 == 1 {
				return 0
			}
			return 403
		}),
		value(keyEncoding{}, func(r *http.Request) (any, int) {
			accepted := r.Header.Get("Accept-Encoding")
			for index, name := range []string{"br", "zstd", "gzip"} {
				if strings.Contains(accepted, name) {
					return uint64(index), 0
				}
			}
			return uint64(3), 0
		}),
		value(keyLanguage{}, func(r *http.Request) (any, int) {
			text := r.Header.Get("Accept-Language")
			if at := strings.IndexAny(text, ",;-"); at >= 0 {
				text = text[:at]
			}
			return fnv(text), 0
		}),
		value(keyCache{}, func(r *http.Request) (any, int) {
			inner := number(r, keyLanguage{}) ^ number(r, keyEncoding{})<<8 ^ number(r, keyTenant{})
			return mixed(fnv(r.URL.Path) ^ mixed(inner)), 0
		}),
		value(keyCached{}, func(r *http.Request) (any, int) {
			key := number(r, keyCache{})
			return cache[key>>6&63] >> (key & 63) & 1, 0
		}),
		value(keyFeature{0}, func(r *http.Request) (any, int) { return flags[0] >> number(r, keyTenant{}) & 1, 0 }),
		feature(1), feature(2), feature(3), feature(4), feature(5),
		value(keyUpstream{}, func(r *http.Request) (any, int) {
			all := number(r, keyCache{}) ^ number(r, keyFeature{5}) ^ number(r, keyRoute{}) ^ number(r, keyCached{})
			return mixed(all) % 8, 0
		}),
		func(next http.Handler) http.Handler { // breaker
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				failed := &failures[number(r, keyUpstream{})]
				if atomic.LoadUint32(failed) >= 100 {
					w.WriteHeader(503)
					return
				}
				next.ServeHTTP(w, r)
				if atomic.LoadUint32(failed) != 0 {
					atomic.StoreUint32(failed, 0)
				}
			})
		},
		func(next http.Handler) http.Handler { // tells
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id := number(r, keyID{}) ^ number(r, keyTrace{})
				w.Header().Set("X-Request-Id", strconv.FormatUint(id, 10))
				w.Header().Set("X-Upstream", strconv.FormatUint(number(r, keyUpstream{}), 10))
				next.ServeHTTP(w, r)
			})
		},
		func(http.Handler) http.Handler { // the last one
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// Otherwise net/http looks at the body to find its type.
				w.Header()["Content-Type"] = nil
				io.WriteString(w, body)
			})
		},
	)
	return all
}

func main() {
	for last := 0; last < 100; last++ {
		denied = append(denied, fnv(fmt.Sprintf("203.0.113.%d", last)))
	}
	sort.Slice(denied, func(i, j int) bool { return denied[i] < denied[j] })
	for user := 0; user < 1000; user++ {
		users[fmt.Sprintf("key-%04d-0123456789abcdef", user)] = uint64(user)
	}
	for index := range cache {
		cache[index] = mixed(uint64(index))
	}
	all := nodes()
	if len(all) != 37 {
		panic(fmt.Sprintf("%d nodes", len(all)))
	}
	var handler http.Handler
	for index := len(all) - 1; index >= 0; index-- {
		handler = all[index](handler)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "no port to listen on:", err)
		os.Exit(1)
	}
	fmt.Println("listening", listener.Addr())
	// Whoever started this holds the other end.
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(listener, handler))
	os.Exit(1)
}
