// Program libxml2 asks a document by XPath; the document is in an encoding of its own.
package main

// #cgo pkg-config: libxml-2.0
// #include <libxml/parser.h>
// #include <libxml/xpath.h>
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

// document is in ISO 8859-15, where 0xa4 is the euro sign.
const document = `<?xml version="1.0" encoding="ISO-8859-15"?><a><b price="1 ` + "\xa4" + `"/><b price="2"/></a>`

func main() {
	text := []byte(document)
	d := C.xmlReadMemory((*C.char)(unsafe.Pointer(&text[0])), C.int(len(text)), nil, nil, 0)
	if d == nil {
		fmt.Println("the document is not read")
		os.Exit(1)
	}
	defer C.xmlFreeDoc(d)
	for question, want := range map[string]string{"string(/a/b[1]/@price)": "1 €", "count(//b)": "2"} {
		if got := ask(d, question); got != want {
			fmt.Printf("%s: %q\n", question, got)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

func ask(d C.xmlDocPtr, question string) string {
	context := C.xmlXPathNewContext(d)
	defer C.xmlXPathFreeContext(context)
	text := append([]byte(question), 0)
	found := C.xmlXPathEvalExpression((*C.xmlChar)(unsafe.Pointer(&text[0])), context)
	if found == nil {
		return "no such expression"
	}
	defer C.xmlXPathFreeObject(found)
	answer := C.xmlXPathCastToString(found)
	return C.GoString((*C.char)(unsafe.Pointer(answer)))
}
