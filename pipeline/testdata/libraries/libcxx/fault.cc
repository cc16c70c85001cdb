#include <algorithm>
#include <atomic>
#include <locale>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

namespace {

struct Counted {
	static int alive;
	Counted() { alive++; }
	~Counted() { alive--; }
};
int Counted::alive = 0;

// deep throws through frames that have something to destroy.
int deep(int n) {
	Counted c;
	if (n == 0)
		throw std::out_of_range("the end");
	return deep(n - 1) + 1;
}

void check(bool good, const char *what) {
	if (!good)
		throw std::runtime_error(what);
}

void all() {
	try {
		deep(20);
		check(false, "nothing was thrown");
	} catch (const std::logic_error &e) {
		check(e.what() == std::string("the end") && Counted::alive == 0, "unwinding");
	}

	std::atomic<int> sum{0};
	std::vector<std::thread> threads;
	for (int i = 1; i <= 4; i++)
		threads.emplace_back([i, &sum] {
			try {
				throw i;
			} catch (int n) {
				sum += n;
			}
		});
	for (auto &t : threads)
		t.join();
	check(sum == 10, "exceptions in threads");

	std::ostringstream out;
	std::map<std::string, double> values{{"b", 2.5}, {"a", 1}};
	for (const auto &[name, value] : values)
		out << name << '=' << value << ' ';
	check(out.str() == "a=1 b=2.5 ", "streams");

	check(std::regex_match("linux/arm64", std::regex("[a-z]+/(arm|s390x)[0-9]*")), "regular expressions");
	std::unique_ptr<std::exception> e = std::make_unique<std::bad_alloc>();
	check(dynamic_cast<std::bad_alloc *>(e.get()) && !dynamic_cast<std::bad_cast *>(e.get()), "types at run time");
}

} // namespace

// fault says what is wrong, or nothing.
extern "C" const char *fault(void) {
	static std::string text;
	try {
		all();
	} catch (const std::exception &e) {
		text = e.what();
	}
	return text.c_str();
}
