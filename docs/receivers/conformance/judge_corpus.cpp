// Reads stories as in corpus.jsonl from stdin and writes, for each step, [code, position_m, silent] of nasion_judge.hpp.
//
//   g++ -std=c++17 -g -Wall -Wextra -fsanitize=address,undefined -I.. judge_corpus.cpp -o judge_corpus

#include "nasion_judge.hpp"

#include <iostream>

std::string from_base64(const std::string& text) {
    static const std::string signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t bits = 0;
    int count = 0;
    for (const char sign : text) {
        const size_t value = signs.find(sign);
        if (value == std::string::npos) break;
        bits = bits << 6 | uint32_t(value);
        if ((count += 6) >= 8) bytes.push_back(char(bits >> (count -= 8) & 0xff));
    }
    return bytes;
}

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        const auto story = nasion::Json::parse(line);
        nasion::Gate gate(story["prefix"], story["camera"], story["boot_id"], story["max_age_ms"], story["silent_ms"]);
        for (const auto& step : story["steps"]) {
            std::string once = step.contains("text") ? step["text"].get<std::string>() : from_base64(step["base64"]);
            std::string payload;
            for (int times = step["times"]; times > 0; --times) payload += once;
            const auto clock = [&step](const char* name) { return int64_t{std::stoll(step[name].get<std::string>())}; };
            const nasion::Now now{clock("utc_ns"), clock("monotonic_ns"), clock("boottime_ns")};
            const bool silent = gate.silent(now);
            const auto verdict =
                gate.judge(step["topic"], step["retained"], payload.data(), payload.size(), now);
            nasion::Json position;
            if (verdict.nearest) position = verdict.nearest->position_m;
            std::cout << nasion::Json::array({verdict.code, position, silent}).dump() << "\n";
        }
    }
    return 0;
}
