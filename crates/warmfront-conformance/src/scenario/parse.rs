use super::{
    Action, Answer, Asked, Exchange, Expected, Framing, Level, Mistake, Outcome, Reply, Scenario, ScenarioError,
    Setting, Step,
};
use crate::Profile;

/// The settings, as an error lists them.
pub(super) const SETTINGS: &str = "ttl, methods, cached-methods, query-strings, headers, cookies, cache-policy, \
     origin-request-policy, response-headers-policy, viewer-protocol-policy, error-ttl, compress, origin, uncached";

/// What a field line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    None,
    Request,
    Reply,
    Refresh,
    Asked,
    Answer,
    AnswerOf,
}

struct Reader {
    scenario: Scenario,
    level: Option<Level>,
    exchange: Option<(usize, Exchange)>,
    has_answer: bool,
    block: Block,
}

pub(super) fn scenario(text: &str) -> Result<Scenario, ScenarioError> {
    let mut reader = Reader {
        scenario: Scenario {
            rule: String::new(),
            sources: Vec::new(),
            level: Level::Required,
            differs: Vec::new(),
            settings: Vec::new(),
            steps: Vec::new(),
        },
        level: None,
        exchange: None,
        has_answer: false,
        block: Block::None,
    };
    let mut in_head = true;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |mistake| ScenarioError {
            line: number + 1,
            mistake,
        };
        in_head &= !matches!(first_word(line), "viewer" | "wait" | "invalidate");
        if in_head {
            reader.head_line(line).map_err(at)?;
        } else {
            reader.step_line(number + 1, line).map_err(at)?;
        }
    }
    let whole = |mistake| ScenarioError { line: 0, mistake };
    reader.end_exchange().map_err(whole)?;
    reader.finish().map_err(whole)
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

impl Reader {
    fn head_line(&mut self, line: &str) -> Result<(), Mistake> {
        let (name, value) = line.split_once(':').ok_or_else(|| Mistake::Head(line.to_owned()))?;
        let value = value.trim().to_owned();
        match name {
            "rule" => self.scenario.rule = value,
            "source" => self.scenario.sources.push(value),
            "level" => self.level = Some(level(&value)?),
            _ => match (name.strip_prefix("differs "), setting(name)) {
                (Some(_), _) if value.is_empty() => return Err(Mistake::Reason),
                (Some(of), _) => self.scenario.differs.push((profile(of)?, value)),
                (None, Some(setting)) => self.scenario.settings.push((setting, value)),
                (None, None) => return Err(Mistake::Head(line.to_owned())),
            },
        }
        Ok(())
    }

    fn step_line(&mut self, number: usize, line: &str) -> Result<(), Mistake> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "viewer" => {
                self.end_exchange()?;
                let (method, target) = request_line(rest)?;
                let mut exchange = Exchange::default();
                (exchange.request.method, exchange.request.target) = (method, target);
                self.exchange = Some((number, exchange));
                self.block = Block::Request;
            }
            "wait" => {
                let secs = duration_secs(rest)?;
                self.alone(number, Action::Wait(secs))?;
            }
            "invalidate" => self.alone(number, Action::Invalidate(rest.to_owned()))?,
            "origin" => {
                let reply = reply(rest)?;
                self.open("origin")?.replies.push(reply);
                self.block = Block::Reply;
            }
            "refresh" => {
                let reply = reply(rest)?;
                self.open("refresh")?.refresh = Some(reply);
                self.block = Block::Refresh;
            }
            "asked" => {
                let (method, target) = request_line(rest)?;
                let asked = Asked {
                    method,
                    target,
                    ..Asked::default()
                };
                self.open("asked")?.asked.push(asked);
                self.block = Block::Asked;
            }
            "answer" => self.answer(rest)?,
            _ => self.field(line)?,
        }
        Ok(())
    }

    fn open(&mut self, word: &'static str) -> Result<&mut Exchange, Mistake> {
        let exchange = self.exchange.as_mut().map(|(_, exchange)| exchange);
        exchange.ok_or(Mistake::Alone(word))
    }

    fn alone(&mut self, line: usize, action: Action) -> Result<(), Mistake> {
        self.end_exchange()?;
        self.block = Block::None;
        self.scenario.steps.push(Step { line, action });
        Ok(())
    }

    fn end_exchange(&mut self) -> Result<(), Mistake> {
        let Some((line, exchange)) = self.exchange.take() else {
            return Ok(());
        };
        if !std::mem::take(&mut self.has_answer) {
            return Err(Mistake::NoAnswer(line));
        }
        let action = Action::Exchange(Box::new(exchange));
        self.scenario.steps.push(Step { line, action });
        Ok(())
    }

    fn answer(&mut self, rest: &str) -> Result<(), Mistake> {
        let mut words = rest.split_whitespace().peekable();
        let of = match words.peek() {
            Some(word) if *word != "any" && !word.starts_with(|first: char| first.is_ascii_digit()) => {
                let of = profile(word)?;
                words.next();
                Some(of)
            }
            _ => None,
        };
        let answer = Answer {
            status: expected_status(words.next().unwrap_or_default())?,
            outcome: outcome(words.next().unwrap_or_default())?,
            eventually: match words.next() {
                None => false,
                Some("eventually") => true,
                Some(word) => return Err(Mistake::Step(word.to_owned())),
            },
            ..Answer::default()
        };
        let had_answer = self.has_answer;
        let exchange = self.open("answer")?;
        match of {
            Some(of) if exchange.answer_of.iter().all(|(other, _)| *other != of) => {
                exchange.answer_of.push((of, answer));
                self.block = Block::AnswerOf;
            }
            None if !had_answer => {
                exchange.answer = answer;
                self.has_answer = true;
                self.block = Block::Answer;
            }
            _ => return Err(Mistake::TwoAnswers),
        }
        Ok(())
    }

    fn field(&mut self, line: &str) -> Result<(), Mistake> {
        let block = self.block;
        let Some((_, exchange)) = &mut self.exchange else {
            return Err(if line.contains(':') {
                Mistake::Field
            } else {
                Mistake::Step(line.to_owned())
            });
        };
        let line = Line::read(line)?;
        match block {
            Block::None => return Err(Mistake::Field),
            Block::Request => line.send(&mut exchange.request.headers, &mut exchange.request.body)?,
            Block::Reply => {
                if let Some(reply) = exchange.replies.last_mut() {
                    if let Line::Field(Expected::Is(name, value)) = &line
                        && name == "whole"
                    {
                        reply.whole = Some(value.clone());
                        return Ok(());
                    }
                    line.send(&mut reply.headers, &mut reply.body)?;
                }
            }
            Block::Refresh => {
                if let Some(reply) = &mut exchange.refresh {
                    line.send(&mut reply.headers, &mut reply.body)?;
                }
            }
            Block::Asked => {
                if let Some(asked) = exchange.asked.last_mut() {
                    line.expect(&mut asked.headers, &mut asked.body);
                }
            }
            Block::Answer => line.expect(&mut exchange.answer.headers, &mut exchange.answer.body),
            Block::AnswerOf => {
                if let Some((_, answer)) = exchange.answer_of.last_mut() {
                    line.expect(&mut answer.headers, &mut answer.body);
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Scenario, Mistake> {
        if self.scenario.rule.is_empty() {
            return Err(Mistake::Missing("rule"));
        }
        if self.scenario.sources.is_empty() {
            return Err(Mistake::Missing("source"));
        }
        self.scenario.level = self.level.ok_or(Mistake::Missing("level"))?;
        if self.scenario.exchanges().next().is_none() {
            return Err(Mistake::Empty);
        }
        Ok(self.scenario)
    }
}

enum Line {
    Body(String),
    Field(Expected),
}

impl Line {
    fn read(line: &str) -> Result<Line, Mistake> {
        let own = str::to_owned;
        if let Some(body) = line.strip_prefix("body:") {
            return Ok(Line::Body(own(body.trim())));
        }
        if let Some(name) = line.strip_prefix("without ") {
            return Ok(Line::Field(Expected::Without(own(name.trim()))));
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
        if let Some((name, part)) = line.split_once(" ~ ").filter(|(name, _)| is_name(name)) {
            return Ok(Line::Field(Expected::Has(own(name), own(part.trim()))));
        }
        match line.split_once(':').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => Ok(Line::Field(Expected::Is(own(name), own(value.trim())))),
            None => Err(Mistake::Step(own(line))),
        }
    }

    fn send(self, headers: &mut Vec<(String, String)>, body: &mut Option<String>) -> Result<(), Mistake> {
        match self {
            Line::Body(text) => *body = Some(text),
            Line::Field(Expected::Is(name, value)) => headers.push((name, value)),
            Line::Field(_) => return Err(Mistake::Sent),
        }
        Ok(())
    }

    fn expect(self, headers: &mut Vec<Expected>, body: &mut Option<String>) {
        match self {
            Line::Body(text) => *body = Some(text),
            Line::Field(expected) => headers.push(expected),
        }
    }
}

fn request_line(text: &str) -> Result<(String, String), Mistake> {
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(method), Some(target), None) if target.starts_with('/') || target == "*" => {
            Ok((method.to_owned(), target.to_owned()))
        }
        _ => Err(Mistake::Request(text.to_owned())),
    }
}

fn reply(text: &str) -> Result<Reply, Mistake> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let framing = match words.next() {
        None => Framing::Length,
        Some("chunked") => Framing::Chunked,
        Some("cut") => Framing::Cut,
        Some(other) => return Err(Mistake::Framing(other.to_owned())),
    };
    let status = if first == "closes" { 0 } else { status(first)? };
    Ok(Reply {
        status,
        framing,
        ..Reply::default()
    })
}

fn status(text: &str) -> Result<u16, Mistake> {
    let parsed = text.parse().ok().filter(|status| (100..=999).contains(status));
    parsed.ok_or_else(|| Mistake::Status(text.to_owned()))
}

fn expected_status(text: &str) -> Result<u16, Mistake> {
    match text {
        "any" => Ok(0),
        "5xx" => Ok(5),
        _ => status(text),
    }
}

fn level(text: &str) -> Result<Level, Mistake> {
    let known = [Level::Required, Level::Optional, Level::Documented];
    let found = known.into_iter().find(|level| level.as_str() == text);
    found.ok_or_else(|| Mistake::Level(text.to_owned()))
}

fn profile(text: &str) -> Result<Profile, Mistake> {
    let found = Profile::ALL.into_iter().find(|profile| profile.as_str() == text.trim());
    found.ok_or_else(|| Mistake::Profile(text.to_owned()))
}

fn outcome(text: &str) -> Result<Outcome, Mistake> {
    Ok(match text {
        "hit" => Outcome::Hit,
        "miss" => Outcome::Miss,
        "revalidated" => Outcome::Revalidated,
        "stale" => Outcome::Stale,
        "asked" => Outcome::Asked,
        "own" => Outcome::Own,
        "any" => Outcome::Any,
        _ => return Err(Mistake::Outcome(text.to_owned())),
    })
}

fn setting(name: &str) -> Option<Setting> {
    Some(match name {
        "ttl" => Setting::Ttl,
        "methods" => Setting::Methods,
        "cached-methods" => Setting::CachedMethods,
        "query-strings" => Setting::QueryStrings,
        "headers" => Setting::Headers,
        "cookies" => Setting::Cookies,
        "cache-policy" => Setting::CachePolicy,
        "origin-request-policy" => Setting::OriginRequestPolicy,
        "response-headers-policy" => Setting::ResponseHeadersPolicy,
        "viewer-protocol-policy" => Setting::ViewerProtocolPolicy,
        "error-ttl" => Setting::ErrorTtl,
        "compress" => Setting::Compress,
        "origin" => Setting::Origin,
        "uncached" => Setting::Uncached,
        _ => return None,
    })
}

/// A time in seconds: `90s`, `5m`, `2h`, `1d`.
pub(crate) fn duration_secs(text: &str) -> Result<u64, Mistake> {
    let wrong = || Mistake::Duration(text.to_owned());
    let unit = text.chars().last().ok_or_else(wrong)?;
    let unit_secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
    let secs = number.and_then(|number| number.checked_mul(unit_secs));
    secs.filter(|&secs| secs <= SECS_MAX).ok_or_else(wrong)
}

/// A thousand years: more than any date of HTTP has room for.
const SECS_MAX: u64 = 31_536_000_000;
