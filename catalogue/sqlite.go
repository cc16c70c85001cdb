package catalogue

import "github.com/tcapflow/tcapflow/spec"

// SQLite is the database in a file, with full-text search, R-trees and mathematical
// functions. Link it with `#cgo pkg-config: sqlite3` or -lsqlite3; github.com/mattn/go-sqlite3
// does so with the tag libsqlite3. It loads no extensions: a static program has no dlopen.
var SQLite = spec.Library{
	Name:    "sqlite",
	Version: "3.53.4",
	Licence: "blessing",
	URLs: []string{
		"{debian}/pool/main/s/sqlite3/sqlite3_3.53.4.orig.tar.xz",
	},
	SHA256:       "05366adc8ee80c6b1faa71285b49d133c2121238ca58934b077fdeb95934abd4",
	DebianSource: "sqlite3",
	Needs:        []spec.Library{},
	// The amalgamation is written by programs that are compiled and run here: a Tcl
	// interpreter, SQLite's parser generator.
	Build: `
./configure --host="$TRIPLE" --prefix=/usr --disable-shared --disable-tcl --disable-readline \
	--disable-load-extension --enable-fts4 --enable-fts5 --enable-rtree --enable-math
make lib install-lib install-headers install-pc OPTS="-DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_DBSTAT_VTAB"
`,
}
