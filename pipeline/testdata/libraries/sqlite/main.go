// Program sqlite asks a database in memory, with its full-text search and its mathematics.
package main

// #cgo pkg-config: sqlite3
// #include <sqlite3.h>
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

func main() {
	var db *C.sqlite3
	name := C.CString(":memory:")
	defer C.free(unsafe.Pointer(name))
	if C.sqlite3_open(name, &db) != C.SQLITE_OK {
		fail("open", db)
	}
	for _, question := range [][2]string{
		{"CREATE VIRTUAL TABLE t USING fts5(text)", ""},
		{"INSERT INTO t VALUES ('a static binary'), ('a dynamic one')", ""},
		{"SELECT count(*) FROM t WHERE t MATCH 'static'", "1"},
		{"SELECT json_extract('{\"a\": [1, 2.5]}', '$.a[1]')", "2.5"},
		{"SELECT round(sqrt(2), 3)", "1.414"},
		{"SELECT 9007199254740993 * 3", "27021597764222979"},
	} {
		if got := ask(db, question[0]); got != question[1] {
			fmt.Printf("%s: %q\n", question[0], got)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

func ask(db *C.sqlite3, question string) (answer string) {
	text := C.CString(question)
	defer C.free(unsafe.Pointer(text))
	var s *C.sqlite3_stmt
	if C.sqlite3_prepare_v2(db, text, -1, &s, nil) != C.SQLITE_OK {
		fail(question, db)
	}
	defer C.sqlite3_finalize(s)
	switch C.sqlite3_step(s) {
	case C.SQLITE_ROW:
		answer = C.GoString((*C.char)(unsafe.Pointer(C.sqlite3_column_text(s, 0))))
	case C.SQLITE_DONE:
	default:
		fail(question, db)
	}
	return answer
}

func fail(what string, db *C.sqlite3) {
	fmt.Println(what+":", C.GoString(C.sqlite3_errmsg(db)))
	os.Exit(1)
}
